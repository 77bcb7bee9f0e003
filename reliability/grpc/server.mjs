// A service that speaks gRPC: its answers, and what it streams, are JSON that names the instance. A pod runs it in one file, with the library.
import { Buffer } from 'node:buffer';
import { clearInterval, setInterval } from 'node:timers';
import grpc from '@grpc/grpc-js';

const { HOST = '0.0.0.0', HOSTNAME: hostname, PORT } = process.env;
const asItIs = (value) => value;
const method = (path, responseStream) => ({
  ...{ path, requestStream: false, responseStream },
  ...{ requestSerialize: asItIs, requestDeserialize: asItIs, responseSerialize: asItIs, responseDeserialize: asItIs },
});
const json = (value) => Buffer.from(JSON.stringify(value));
/** What ends each stream that is open. */
const streams = new Set();

const server = new grpc.Server();
server.addService(
  {
    Get: method('/shop.Orders/Get', false),
    Watch: method('/shop.Orders/Watch', true),
    Check: method('/grpc.health.v1.Health/Check', false),
  },
  {
    Get: (call, answer) => answer(null, json({ hostname, id: call.request.toString() })),
    Watch: (call) => {
      const say = () => call.write(json({ hostname }));
      const timer = setInterval(say, 1000);
      const over = () => {
        clearInterval(timer);
        streams.delete(end);
      };
      const end = () => {
        over();
        call.end();
      };
      streams.add(end);
      call.on('cancelled', over).on('error', over);
      say();
    },
    Check: (_call, answer) => answer(null, Buffer.from([8, 1])),
  },
);
server.bindAsync(`${HOST}:${PORT}`, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on ${port}`);
});

// By now DNS has not had this pod for seconds: nobody calls. A stream would last for as long as its client, so it is ended.
process.on('SIGTERM', () => {
  for (const end of streams) end();
  server.tryShutdown(() => process.exit());
});
