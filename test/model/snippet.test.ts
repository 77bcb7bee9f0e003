import { Snippet } from '../../model/snippet';

test.each([
  'gzip_comp_level 4;',
  'map $uri $a {\n  default "}";\n}',
  "add_header X '{'; # a brace }",
  'set $a "${b}";',
  'if ($a) { return 403; }\n',
])('takes %j', (text) => {
  expect(Snippet.http(text)).toMatchObject({ place: 'http', text });
  expect(Snippet.server(text)).toMatchObject({ place: 'server', text });
});

test.each([
  ['', 'is not text of nginx.conf'],
  ['  \n', 'is not text of nginx.conf'],
  [5, 'is not text of nginx.conf'],
  ['a \0;', 'is not text of nginx.conf'],
  ['\ud800;', 'is not text of nginx.conf'],
  ['gzip off', 'is not whole'],
  ['} server { listen 1; ', 'is not whole'],
  ['} evil {}', 'is not whole'],
  ['map $a $b { default 1;', 'is not whole'],
  ['gzip off; # done;\n x', 'is not whole'],
])('refuses %j', (text, message) => {
  expect(() => Snippet.http(text as string)).toThrow(`Snippet.http: ${JSON.stringify(text)} ${message}`);
});
