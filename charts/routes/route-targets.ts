import { RequestKey } from '../../model/load-balancing';
import type { TargetModel } from '../../model/routes/route';
import { integer } from '../../validation/amounts';
import { list, record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { wordOf } from '../../validation/names';
import { flag, instanceOf, knownValues, type Table, withDefault } from '../../validation/options';
import { oneLine } from '../../validation/text';
import { Backend } from '../backend';
import { mostPods } from '../pods/autoscaling';
import type { IRouteTarget, Route } from './route';

/** A backend, and how much of the requests it gets; never an external service, whose pods nobody here counts. */
export interface Share {
  readonly target: Backend;
  /** Percent, a whole number from 0 to 100; all shares add up to 100. */
  readonly weight: number;
}

export interface TrafficSplitOptions {
  /**
   * Whose requests stay together: whoever has the same key gets the same backend, for as long as weights stay as they are.
   *
   * @default RequestKey.clientAddress()
   * @see https://nginx.org/en/docs/http/ngx_http_split_clients_module.html
   */
  readonly stickyBy?: RequestKey;
}

export const trafficSplitOptions = {
  stickyBy: withDefault(RequestKey.clientAddress(), instanceOf(RequestKey, 'RequestKey.cookie("session")')),
} satisfies Table<TrafficSplitOptions>;

/** Versions side by side. */
export class TrafficSplit implements IRouteTarget {
  private constructor(
    private readonly shares: readonly Share[],
    private readonly stickyBy: RequestKey,
  ) {}

  /**
   * Each backend gets its part of the clients. A request that a pod of one failed to answer is passed to another pod of the same.
   *
   * @example
   * TrafficSplit.weighted([{ target: stable, weight: 95 }, { target: canary, weight: 5 }])
   */
  static weighted(shares: readonly Share[], options: TrafficSplitOptions = {}): TrafficSplit {
    const name = 'TrafficSplit.weighted';
    const { stickyBy } = knownValues(
      record(name, options, '{ stickyBy: RequestKey.cookie("session") }'),
      trafficSplitOptions,
      `${name} `,
    );
    const example = '[{ target: stable, weight: 95 }, { target: canary, weight: 5 }]';
    const given = list(name, shares, example).map((share): Share => {
      const { target, weight } = record(name, share, '{ target: stable, weight: 95 }');
      if (!(target instanceof Backend)) {
        throw new InvalidOption(`${name} target`, '(object)', 'is not a Backend: give one, or a version of one');
      }
      return { target, weight: integer(`${name} weight of ${target.node.id}`, weight, 0, 100) };
    });
    const sum = given.reduce((all, { weight }) => all + weight, 0);
    if (sum !== 100) {
      const weights = given.map(({ weight }) => weight);
      throw new InvalidOption(name, weights, `add up to ${sum}: give weights that add up to 100`);
    }
    refuseBeyondCapacity(name, given);
    const twice = given.find(({ target }, index) => given.findIndex((other) => other.target === target) !== index);
    if (twice !== undefined) {
      throw new InvalidOption(`${name} target`, twice.target.node.id, 'is given twice: give each backend one weight');
    }
    return new TrafficSplit(given, stickyBy);
  }

  bindRoute(route: Route): TargetModel {
    const shares = this.shares.map((share) => {
      const { target, weight } = share;
      const mostWeight = mostWeightOf(share, this.shares);
      target.bindRoute(route);
      return { backend: target.node.id, weight, ...(mostWeight < 100 ? { mostWeight } : {}) };
    });
    return { kind: 'split', shares, stickyBy: this.stickyBy };
  }
}

function mostPodsOf({ target }: Share): number {
  return mostPods(target.settings.replicas);
}

function largestOf(shares: readonly Share[]): Share | undefined {
  return [...shares].sort((a, b) => mostPodsOf(b) - mostPodsOf(a))[0];
}

/**
 * The greatest weight that the pods of a backend carry: a part of the requests needs as great a part of the pods that all of them
 * need, which is what the largest may have.
 */
function mostWeightOf(share: Share, shares: readonly Share[]): number {
  const largest = largestOf(shares) ?? share;
  return Math.floor((100 * mostPodsOf(share)) / mostPodsOf(largest));
}

function refuseBeyondCapacity(name: string, shares: readonly Share[]): void {
  const largest = largestOf(shares);
  if (largest === undefined) return;
  for (const share of shares) {
    const { target, weight } = share;
    const mostWeight = mostWeightOf(share, shares);
    if (weight <= mostWeight) continue;
    const needed = Math.ceil((weight / 100) * mostPodsOf(largest));
    throw new InvalidOption(
      `${name} weight of ${target.node.id}`,
      weight,
      `is more than its pods carry: ${weight} % of what the ${mostPodsOf(largest)} pods of ${largest.target.node.id} do needs ${needed}, and it has ${mostPodsOf(share)} at most: give it as many, or a weight of ${mostWeight} or less`,
    );
  }
}

export interface RedirectOptions {
  /**
   * Whether clients may remember it (308 instead of 307); method and body stay with both.
   *
   * @default false
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.4
   */
  readonly permanent?: boolean;
}

export const redirectOptions = {
  permanent: withDefault(false, flag),
} satisfies Table<RedirectOptions>;

/** Another address. */
export class Redirect implements IRouteTarget {
  private constructor(
    private readonly location: string,
    private readonly permanent: boolean,
  ) {}

  /** The path of the route is replaced by this path or URL; what follows it, and the query string, stays. */
  static to(location: string, options: RedirectOptions = {}): Redirect {
    const name = 'Redirect.to';
    const { permanent } = knownValues(record(name, options, '{ permanent: true }'), redirectOptions, `${name} `);
    const text = oneLine(name, location);
    if (
      !/^(?:https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?)?(?:\/(?!\/)[\w\-.~!&'()*+,;=:@%$/]*)?$/.test(text) ||
      text === ''
    ) {
      throw new InvalidOption(
        name,
        location,
        'is neither a path nor a URL that a Location header can have: give one, such as "/v1" or "https://www.example.com"',
      );
    }
    return new Redirect(text === '/' ? '' : text.replace(/\/$/, ''), permanent);
  }

  bindRoute(): TargetModel {
    return { kind: 'redirect', location: this.location, status: this.permanent ? 308 : 307 };
  }
}

export interface FixedResponseOptions {
  /**
   * The media type of the body.
   *
   * @default 'text/plain'
   */
  readonly contentType?: string;
}

const mediaTypes = [
  'text/plain',
  'text/html',
  'application/json',
  'application/problem+json',
  'application/xml',
] as const;

export const fixedResponseOptions = {
  contentType: withDefault('text/plain', wordOf(mediaTypes)),
} satisfies Table<FixedResponseOptions>;

/** An answer of nginx's own. */
export class FixedResponse implements IRouteTarget {
  private constructor(private readonly target: TargetModel) {}

  /** A status, and a body of at most 2 KiB. */
  static of(status: number, body = '', options: FixedResponseOptions = {}): FixedResponse {
    const name = 'FixedResponse.of';
    const { contentType } = knownValues(
      record(name, options, '{ contentType: "application/json" }'),
      fixedResponseOptions,
      `${name} `,
    );
    if (status === 204 || status === 304) {
      if (body !== '')
        throw new InvalidOption(name, body, `is a body, and an answer of ${status} has none: take it out`);
    }
    return new FixedResponse({
      kind: 'response',
      status: integer(`${name} status`, status, 200, 599),
      body: oneLine(`${name} body`, body),
      contentType,
    });
  }

  bindRoute(): TargetModel {
    return this.target;
  }
}
