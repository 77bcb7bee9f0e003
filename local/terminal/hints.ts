/** So many answers in turn that refuse a health check: an API that is about to start gives fewer. */
const patience = 10;

/** What newcomers need to know when they meet it, each once. */
export class Hints {
  private readonly given = new Set<string>();
  private readonly refused = new Map<string, number>();

  constructor(
    private readonly say: (text: string) => void,
    /** Whether what runs is a command that was typed, and not what main.ts says. */
    private readonly isCommand: boolean,
  ) {}

  /** An instance is not ready yet, for this reason. */
  waiting(instance: string, reason: string): void {
    const [, path, status] = /^GET (\S+) answers ([34]\d\d)$/.exec(reason) ?? [];
    if (path === undefined || status === undefined) return;
    const times = (this.refused.get(instance) ?? 0) + 1;
    this.refused.set(instance, times);
    if (times < patience) return;
    this.once(
      'health check',
      `${instance} answers ${status} at ${path}, and gets requests once that is 2xx: ${this.isCommand ? 'give a path that is, such as --health-check-path /' : "give a path that is, in main.ts, such as healthCheck: '/'"}`,
    );
  }

  /** An instance that was told this port has written a line. */
  line(instance: string, port: number, line: string): void {
    if (!/EADDRINUSE|address already in use/i.test(line) || line.includes(String(port))) return;
    this.once(
      'port',
      `${instance} is told port ${port}, and wants one that is taken: listen on process.env.PORT, which is another for each instance`,
    );
  }

  private once(hint: string, text: string): void {
    if (this.given.has(hint)) return;
    this.given.add(hint);
    this.say(text);
  }
}

/** What to look at when an instance is not ready for long. */
export function whileSlow(reason: string): string {
  if (reason === '') return 'it has not answered yet';
  return reason.includes('ECONNREFUSED') ? `${reason}: does it listen on process.env.PORT?` : reason;
}

/** What to look at when a program has ended so, or nothing. */
export function afterExit(reason: string): string {
  // What a shell calls what it did not find.
  return reason === 'exit code 127' ? ' A program that it starts was not found: is it installed, and on the PATH?' : '';
}
