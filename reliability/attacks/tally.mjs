/** What an attack achieved so far, as it is printed. */
export class Tally {
  /** Connections: tried, open once (with TLS where there is TLS), refused before that, ended by the other side after it. */
  attempted = 0;
  opened = 0;
  refused = 0;
  ended = 0;
  /** Connections that are open, and the most that ever were. */
  open = 0;
  mostOpen = 0;
  /** Requests begun, and their answers by status. */
  requests = 0;
  answers = {};
  /** HTTP/2: frames sent, those of them that were acknowledged, and what the other side ended streams and connections with. */
  frames = 0;
  acknowledged = 0;
  resets = 0;
  goAways = 0;
  bytesSent = 0;
  bytesReceived = 0;

  wasOpened() {
    this.opened += 1;
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
  }

  wasAnswered(status) {
    this.answers[status] = (this.answers[status] ?? 0) + 1;
  }
}
