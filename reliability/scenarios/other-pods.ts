import { deploymentName } from '../../cluster/workloads';
import type { Scenario } from '../scenario';
import { extra, extraSelector } from './extra';

/** The pods of a Deployment, given as JSON, in another one that no Service knows. */
function otherDeployment(json: string, replicas: number): object {
  const { apiVersion, kind, metadata, spec } = JSON.parse(json) as {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly namespace: string };
    readonly spec: { readonly template: { readonly spec: object } };
  };
  return {
    apiVersion,
    kind,
    metadata: { name: 'other', namespace: metadata.namespace, labels: extra },
    spec: {
      replicas,
      selector: { matchLabels: extra },
      template: { metadata: { labels: extra }, spec: spec.template.spec },
    },
  };
}

/** The control of scaling. */
export const otherPods: Scenario = {
  name: 'other-pods',
  title: 'eight pods of another Deployment',
  group: 'operations',
  description:
    'What eight pods cost this machine: the same container without a Service is started eight times, then deleted. No figure is asked of it.',
  reaches: 'own',
  act: async (stage) => {
    const { workloads } = stage;
    const other = otherDeployment(await workloads.run('get', deploymentName('api'), '--output=json'), 8);
    stage.atEnd(() => workloads.run('delete', 'deployments', `--selector=${extraSelector}`));
    stage.event('eight pods start');
    await workloads.kubectl.run(['apply', '--filename=-'], {
      input: JSON.stringify(other),
      signal: stage.system.signal,
    });
    await workloads.run('rollout', 'status', 'deployment/other', '--timeout=5m');
    stage.event('all are ready: deleted');
    await workloads.run('delete', 'deployment/other');
    await workloads.run('wait', 'pods', `--selector=${extraSelector}`, '--for=delete', '--timeout=5m');
    stage.endOfCause('they are gone');
  },
};
