/** What went wrong outside of this program, in one line that says what would do. The command line prints it alone. */
export class Failure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Failure';
  }
}
