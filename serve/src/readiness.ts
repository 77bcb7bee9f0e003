/** Whether new requests should come here: what a readiness probe asks. */
export class Readiness {
  private enabled = true;
  private ending = false;

  /** False while switched off, and for good from the moment the process is asked to end. */
  get ready(): boolean {
    return this.enabled && !this.ending;
  }

  /** True from the moment the process is asked to end. */
  get draining(): boolean {
    return this.ending;
  }

  enable(): void {
    this.enabled = true;
  }

  disable(): void {
    this.enabled = false;
  }

  drain(): void {
    this.ending = true;
  }
}
