/** The certificate that clients see: self-signed unless one of these is given. */
export interface CertificateProps {
  /**
   * A file with the server's certificate and its chain (PEM). It must be valid for `host` and `additionalHosts`, and
   * match `tlsPrivateKeyFile`.
   *
   * @default - a self-signed certificate, kept in `.fairlead/`
   */
  readonly tlsCertificateFile?: string;

  /**
   * A file with the private key (PEM, without a passphrase). It goes into a Secret, whose manifest is a file of its own.
   *
   * @default - none; needed with tlsCertificateFile
   */
  readonly tlsPrivateKeyFile?: string;

  /**
   * A Secret of the type `kubernetes.io/tls` in the same namespace that something else makes, cert-manager for one.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
   */
  readonly tlsSecretName?: string;
}
