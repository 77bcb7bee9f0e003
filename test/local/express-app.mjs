// An app as many are: plain Express, no serve(), Node's own keep-alive of 5 s, no signal handler.
import express from 'express';

const hostname = process.env.HOSTNAME;
const app = express();
app.use((request, _response, next) => {
  if (request.query.log !== undefined) console.log(request.query.log);
  next();
});
app.get('/healthcheck', (_request, response) => response.json({ hostname }));
app.post('/echo', express.json(), (request, response) => response.json({ hostname, body: request.body }));

const server = app.listen(Number(process.env.PORT), () => console.log(`listening, as ${hostname}`));
server.keepAliveTimeout = 5000;
