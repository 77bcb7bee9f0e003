import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from '../../afterwards';
import { RealNginx } from './real-nginx';

/** A connection of HTTP/2 to nginx, from an address of this machine; it ends with the test. */
export function http2Session({ host, place }: RealNginx, localAddress = '127.0.0.1'): ClientHttp2Session {
  const session = connect(`https://${host}`, {
    createConnection: () =>
      connectTls({
        ...{ host: '127.0.0.1', port: place.httpsPort, servername: host, localAddress },
        ...{ rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      }),
  });
  session.on('error', () => undefined);
  onTestFinished(() => {
    session.destroy();
  });
  return session;
}

/** The status of a whole answer to a GET. */
export function statusOver(session: ClientHttp2Session, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let status = 0;
    stream.on('response', (headers) => (status = Number(headers[':status'])));
    stream.on('error', reject);
    stream.on('end', () => {
      resolve(status);
    });
    stream.resume();
  });
}
