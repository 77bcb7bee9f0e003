/** What was looked at, and how it is. */
export interface Check {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** What to do, where it is not well. */
  readonly mend?: string;
}

export function ok(check: string, found: string): Check {
  return { check, status: 'ok', found };
}

/** It may work, or only a part does not. */
export function warning(check: string, found: string, mend: string): Check {
  return { check, status: 'warning', found, mend };
}

export function failed(check: string, found: string, mend: string): Check {
  return { check, status: 'failed', found, mend };
}
