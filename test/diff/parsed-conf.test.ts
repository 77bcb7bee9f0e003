import { parsedConf } from '../../diff/requests/parsed-conf';

test('directives, blocks and comments are told apart as nginx does', () => {
  expect(
    parsedConf(`
# a comment; { }
worker_processes 2; # another
http {
  map $http_x $y { # with a reason
    default "a \\"quoted\\" one; { }";
    "~^a#b$" 'single';
    "" \${z}_end;
  }
}
`),
  ).toEqual([
    { name: 'worker_processes', args: ['2'] },
    {
      name: 'http',
      args: [],
      body: [
        {
          name: 'map',
          args: ['$http_x', '$y'],
          body: [
            { name: 'default', args: ['a "quoted" one; { }'] },
            { name: '~^a#b$', args: ['single'] },
            { name: '', args: ['${z}_end'] },
          ],
        },
      ],
    },
  ]);
});

test('a backslash is left before what it does not escape', () => {
  expect(parsedConf('a "\\\\. \\d \\n \\t";')).toEqual([{ name: 'a', args: ['\\. \\d \n \t'] }]);
});

test('a quote without an end is said with its line', () => {
  expect(() => parsedConf('a 1;\nb "2;\n')).toThrow('nginx.conf: line 2 cannot be read');
});
