import { createHash } from 'node:crypto';
import { ConfigMap } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { lastGoodCertificateScript } from '../nginx/last-good-certificate-section';
import { recommendedLabels } from './labels';

/**
 * One configuration of nginx, for ever: the name carries the hash of the content. Another configuration is another
 * ConfigMap, and so a rollout that stops if its pods are never ready, and that can be rolled back.
 * @see https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable
 */
export class NginxConfigMap extends ConfigMap {
  constructor(scope: Construct, id: string, props: { readonly instance: string; readonly nginxConf: string }) {
    const { name, text } = lastGoodCertificateScript;
    const data = { 'nginx.conf': props.nginxConf, [name]: text };
    const hash = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10);
    super(scope, id, {
      metadata: { name: `nginx-${hash}`, labels: recommendedLabels(props.instance, 'nginx-config') },
      data,
      immutable: true,
    });
  }
}
