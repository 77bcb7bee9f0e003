import { Http2Connection, type Http2Target } from './http2-connection';

/** So many that each connection carries several, and no proxy has all. */
const streamsPerConnection = 10;

/** The HTTP/2 connections that held streams share. */
export class SharedHttp2Connections {
  private readonly connections = new Set<Http2Connection>();
  private current: Http2Connection | undefined;

  constructor(private readonly target: Http2Target) {}

  /** A connection for one more stream; it ends once its streams have. */
  next(): Http2Connection {
    if (this.current?.open === true && this.current.active < streamsPerConnection) return this.current;
    this.current?.close();
    const connection = new Http2Connection(this.target, () => this.connections.delete(connection));
    this.connections.add(connection);
    this.current = connection;
    return connection;
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }
}
