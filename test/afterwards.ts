type End = () => unknown;

const afterTest: End[] = [];
const afterFile: End[] = [];

afterEach(() => endAll(afterTest));
afterAll(() => endAll(afterFile));

/** Ends what a test has started, also if that test fails: what is left open would keep jest from ending. */
export function onTestFinished(end: End): void {
  afterTest.push(end);
}

/** The same for what several tests of a file may share. */
export function onFileFinished(end: End): void {
  afterFile.push(end);
}

/** In reverse, as what came later uses what came before. One that fails keeps no other from being ended. */
async function endAll(ends: End[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of ends.splice(0).reverse()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
