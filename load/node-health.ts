import { get as httpGet } from 'node:http';
import { loadTarget } from './load-target';

/** A node that load may be sent to, and where it says whether that works. */
export interface LoadNode {
  /** Where requests go: `https://localhost:8443`. */
  readonly url: string;
  /** Answers 200 while the node can be used: `http://localhost:8080/healthz`. */
  readonly healthCheckUrl: string;
}

const interval = 2000;
const timeout = 1000;
/** So many answers in a row take a node out or in again, as load balancers of clouds count (theirs are 2 to 3, every 5 to 10 s). */
const threshold = 2;

/** What a load balancer in front of the nodes knows of them: each is asked every two seconds, and taken out and in again. */
export class NodeHealth {
  private readonly inARow: { readonly node: LoadNode; healthy: boolean; against: number }[];
  private readonly timer: NodeJS.Timeout;

  constructor(
    nodes: readonly LoadNode[],
    private readonly changed: (node: LoadNode, healthy: boolean) => void = () => undefined,
  ) {
    for (const { healthCheckUrl } of nodes) loadTarget(healthCheckUrl);
    this.inARow = nodes.map((node) => ({ node, healthy: true, against: 0 }));
    this.timer = setInterval(() => {
      this.checkAll();
    }, interval);
  }

  /** The nodes in use; all of them if none is healthy, as load balancers do. */
  get healthy(): readonly LoadNode[] {
    const healthy = this.inARow.filter((state) => state.healthy);
    return (healthy.length === 0 ? this.inARow : healthy).map(({ node }) => node);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private checkAll(): void {
    for (const state of this.inARow) {
      void answers(state.node.healthCheckUrl).then((well) => {
        state.against = well === state.healthy ? 0 : state.against + 1;
        if (state.against < threshold) return;
        state.against = 0;
        state.healthy = well;
        this.changed(state.node, well);
      });
    }
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = httpGet(url, { agent: false, family: 4, timeout }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request
      .on('timeout', () => request.destroy())
      .on('error', () => {
        resolve(false);
      });
    request.on('close', () => {
      resolve(false);
    });
  });
}
