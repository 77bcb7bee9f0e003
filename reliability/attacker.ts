import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kubectl } from '../cluster/kubectl';

/** What an attack achieved, as its program prints it (attacks/tally.mjs). */
export interface AttackTally {
  readonly attempted: number;
  readonly opened: number;
  readonly refused: number;
  readonly ended: number;
  readonly open: number;
  readonly mostOpen: number;
  readonly requests: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly frames: number;
  readonly acknowledged: number;
  readonly resets: number;
  readonly goAways: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** One of attacks/attack.mjs, and its options. */
export interface AttackCommand {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
}

const namespace = 'fairlead-attacker';
const programs = join(__dirname, 'attacks');

/** One client that means harm: a pod with an address of its own and little CPU. */
export class Attacker {
  private readonly made = attackerManifests();

  constructor(
    private readonly kubectl: Kubectl,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts its pod, which stays for the next attack, and waits until it is told to begin. */
  async ready(): Promise<void> {
    const { signal } = this;
    const { pod, manifests } = this.made;
    await this.kubectl.run(['apply', '--filename=-'], { input: JSON.stringify(manifests), signal });
    await this.kubectl.run(
      ['wait', `pod/${pod}`, `--namespace=${namespace}`, '--for=condition=Ready', '--timeout=2m'],
      { signal },
    );
  }

  /** Attacks `ADDRESS:PORT` under a host's name, and gives what was achieved. */
  async run({ name, options }: AttackCommand, target: string, host: string): Promise<AttackTally> {
    const given = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
    const printed = await this.kubectl.run(
      [
        ...['exec', this.made.pod, `--namespace=${namespace}`, '--'],
        ...['node', '/attacks/attack.mjs', name, '--target', target, '--host', host, ...given],
      ],
      { signal: this.signal },
    );
    return JSON.parse(printed.trimEnd().split('\n').at(-1) ?? '') as AttackTally;
  }
}

/** Their names follow from what the programs are: those that changed are in another pod. */
function attackerManifests(): { readonly pod: string; readonly manifests: object } {
  const data = Object.fromEntries(
    readdirSync(programs)
      .filter((file) => file.endsWith('.mjs'))
      .map((file) => [file, readFileSync(join(programs, file), 'utf8')]),
  );
  const name = `attacker-${createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 8)}`;
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'attacker',
            // Every worker has it already, and there is Node.js in it.
            image: 'fairlead-api:dev',
            imagePullPolicy: 'Never',
            command: ['sleep', 'infinity'],
            // All of the cluster shares this machine: more would take its cores away, which is not an attack.
            resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { cpu: '300m', memory: '2Gi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
            volumeMounts: [{ name: 'attacks', mountPath: '/attacks', readOnly: true }],
          },
        ],
        volumes: [{ name: 'attacks', configMap: { name } }],
      },
    },
  ];
  return { pod: name, manifests: { apiVersion: 'v1', kind: 'List', items } };
}
