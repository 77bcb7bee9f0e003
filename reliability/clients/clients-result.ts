import type { ReportRun } from '../scenario-result';
import type { Protocol } from './client-process';
import type { MissingClient } from './shipped-clients';

export type PhaseName = 'at-rest' | 'rollout-api' | 'rollout-nginx' | 'keepalive-time';

/** What one client lost in one phase. */
export interface ClientRow {
  readonly client: string;
  readonly protocol: Protocol;
  /** What the relay added, in milliseconds. */
  readonly roundTrip: number;
  readonly phase: PhaseName;
  readonly sent: number;
  readonly failed: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** docs/clients.json. */
export interface ClientsResult {
  readonly run: ReportRun;
  /** Requests a second of each client. */
  readonly rate: number;
  readonly clients: readonly { readonly name: string; readonly version: string }[];
  readonly missing: readonly MissingClient[];
  readonly rows: readonly ClientRow[];
}

/** Whether a row may have lost nothing: every client at rest and through a rollout of the API, Go always. */
function isJudged({ phase, client }: ClientRow): boolean {
  return phase === 'at-rest' || phase === 'rollout-api' || client === 'Go net/http';
}

/** One line for each row that lost what it must not. */
export function notReached(rows: readonly ClientRow[]): string[] {
  return rows
    .filter((row) => row.failed > 0 && isJudged(row))
    .map(
      ({ client, protocol, roundTrip, phase, failed, sent }) =>
        `${client}, ${protocol}, ${roundTrip} ms, ${phase}: ${failed} of ${sent} lost`,
    );
}
