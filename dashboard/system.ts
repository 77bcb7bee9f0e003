/**
 * Where a proxy runs, as the dashboard sees it: all that it knows of it. On one machine `local/` gives one; whatever else has metrics of a
 * proxy and knows its instances can give another.
 */
export interface DashboardSystem {
  readonly description: SystemDescription;
  /** How it is at this moment. */
  readonly state: () => SystemState;
  /** The metrics of each proxy that answers, by its name, in Prometheus' text format; rejects with a reason that people understand. */
  readonly scrape: () => Promise<ReadonlyMap<string, string>>;
  /** Each throws an InvalidOption for what cannot be done. Undefined where the page only shows. */
  readonly actions: SystemActions | undefined;
  /** Called when nobody looks any more. */
  readonly unwatched: () => void;
}

/** What stays as it is while a proxy runs. */
export interface SystemDescription {
  /** For people: the version of fairlead, if it is known, and where nginx is from. */
  readonly version: string | undefined;
  readonly nginx: string;
  /** Where clients ask, and a command that does. */
  readonly url: string;
  readonly command: string;
  /** Commands that explain requests of a status, with `CODE` in its place. */
  readonly explain: readonly string[];
  /** A command that shows the same figures of instances, some of which Prometheus does not have. @default - there are no metrics */
  readonly top: string | undefined;
  /** @default - there are none */
  readonly metricsUrl: string | undefined;
  readonly backends: readonly BackendDescription[];
  readonly routes: readonly RouteDescription[];
  /** The most instances of a backend. */
  readonly mostInstances: number;
}

export interface BackendDescription {
  readonly name: string;
  /** What metrics call it, and which version of it; empty for one that is none. */
  readonly backend: string;
  readonly version: string;
  /** What each instance runs. */
  readonly program: string;
}

export interface RouteDescription {
  /** What metrics call its host and itself. */
  readonly host: string;
  readonly route: string;
  /** `/orders`, with what else a request must have. */
  readonly path: string;
  /** What answers: `orders`, `308 to /v1`. */
  readonly target: string;
  /** The backends that share it. @default - none does */
  readonly shared: readonly string[];
}

export interface CertificateDescription {
  readonly hosts: readonly string[];
  /** As Date.now gives it. */
  readonly notAfter: number;
  /** Undefined where only its end is known. */
  readonly isSelfSigned: boolean | undefined;
}

export interface SystemState {
  readonly instances: readonly Instance[];
  /** Names of proxies, where there may be several. */
  readonly proxies: readonly string[];
  readonly certificates: readonly CertificateDescription[];
  /** How many instances of each backend are wanted. */
  readonly wanted: Readonly<Record<string, number>>;
  /** Percent of each backend, of each route that several share. */
  readonly weights: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Requests a second that are sent from here, for whoever wants to see some; 0 for none. */
  readonly load: number;
}

/** `gone` is said of one that was there until lately. */
export type Health = 'starting' | 'ready' | 'slow' | 'ending' | 'failed' | 'gone';

export interface Instance {
  readonly name: string;
  /** The name of its backend. */
  readonly backend: string;
  /** What metrics call it: address and port, of all that it had, the last one first. */
  readonly addresses: readonly string[];
  readonly health: Health;
  /** Why it failed. */
  readonly reason: string | undefined;
  /** When it came to this health, as Date.now gives it. */
  readonly since: number;
  /** Whether it can be made slow. */
  readonly canBeSlow: boolean;
}

export interface SystemActions {
  /** So many instances of a backend. */
  readonly scale: (backend: string, count: number) => void;
  /** Ends an instance as a scale-down does: DNS forgets it first. */
  readonly stop: (instance: string) => void;
  /** Ends it at once, as a crash does. */
  readonly kill: (instance: string) => void;
  readonly slow: (instance: string, isSlow: boolean) => void;
  /** So many percent of what a backend shares. */
  readonly weigh: (backend: string, percent: number) => void;
  /** So many requests a second from here; 0 for none. */
  readonly load: (rate: number) => void;
}
