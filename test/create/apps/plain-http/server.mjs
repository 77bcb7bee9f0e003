import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  switch (pathname) {
    case '/healthz':
      response.end('ok');
      return;
    case '/robots.txt':
      response.end('User-agent: *');
      return;
    default:
      response.writeHead(302, { Location: 'https://example.com' + pathname }).end();
  }
});
server.listen(process.env.PORT || 8000, '0.0.0.0');
