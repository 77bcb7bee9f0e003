/** What happens to a running system, and when: every moment has a computed range and, where it can be had, a measured time. */
export type Moment =
  /** From a pod's being Ready to its first request. */
  | 'api-pod-starts.first-request'
  /** From the decision to end a pod of the API to its last new request, and until it is gone. */
  | 'api-pod-ends.last-request'
  | 'api-pod-ends.gone'
  /** From the death of a process of the API to the last request that was tried on it, and to its first one when it is back. */
  | 'api-process-dies.last-try'
  | 'api-process-dies.first-request-again'
  /** From the loss of a node: idle connections found dead; its pods out of DNS; its pods replaced elsewhere. */
  | 'node-dies.connections-found'
  | 'node-dies.not-ready'
  | 'node-dies.last-try'
  | 'node-dies.pods-replaced'
  /** From a changed Secret to its first handshake, and to every proxy's. */
  | 'certificate-changes.first-handshake'
  | 'certificate-changes.every-proxy'
  /** From the decision to end a proxy to its last new connection, and until it is gone. */
  | 'proxy-ends.last-connection'
  | 'proxy-ends.gone';
