import { ErrorPages } from '../../../model/routes/error-pages';

describe('Error pages', () => {
  test('are JSON, or a page for each status', () => {
    expect(ErrorPages.json().pages).toBeUndefined();
    expect([...(ErrorPages.html({ 404: '<h1>', default: 'ä\r\n\t' }).pages ?? [])]).toEqual([
      [404, '<h1>'],
      ['default', 'ä\r\n\t'],
    ]);
    expect(ErrorPages.html({ 404: 'ä'.repeat(8192) }).pages?.size).toBe(1);
  });

  test('may have 64 KiB together, and no more', () => {
    const longest = 'x'.repeat(16_384);
    const most = { 400: longest, 403: longest, 404: longest, 413: longest };
    expect(ErrorPages.html(most).pages?.size).toBe(4);
    expect(() => ErrorPages.html({ ...most, 429: 'x' })).toThrow('"65537 bytes" are more than 65536');
  });

  const status =
    'is not a status that nginx itself answers on a route: give one of 400, 401, 403, 404, 405, 408, 412, 413, 416, 429, 500, 502, 503, 504, or "default"';
  const page = 'is not a page: give HTML, such as "<!doctype html><title>Gone</title>"';

  test.each<[unknown, string]>([
    ['<h1>', ': "<h1>" is not an object with names and values: give one, such as { default: "<!doctype html>…" }'],
    [{}, ': {} has no page: give one, such as { default: "<!doctype html>…" }'],
    [{ 200: 'x' }, ` status: "200" ${status}`],
    [{ 418: 'x' }, ` status: "418" ${status}`],
    [{ all: 'x' }, ` status: "all" ${status}`],
    [{ 404: '' }, ` 404: "" ${page}`],
    [{ 404: ' \n' }, ` 404: " \\n" ${page}`],
    [{ default: 5 }, ` default: 5 ${page}`],
    [{ 404: 'a\0b' }, ' 404: "a\\u0000b" has a control character, which no HTML has: take it out'],
    [
      { 404: 'a\ud800' },
      ' 404: "a\\ud800" has half of a surrogate pair, which UTF-8 cannot carry: give whole characters',
    ],
    [{ 404: 'ä'.repeat(8193) }, ' 404: "16386 bytes" are more than 16384 for a page: shorten it'],
    [
      Object.fromEntries([400, 403, 404, 413, 429].map((each) => [each, 'x'.repeat(16_384)])),
      ': "81920 bytes" are more than 65536, of all pages together: shorten them',
    ],
  ])('%# are refused', (pages, message) => {
    expect(() => ErrorPages.html(pages as never)).toThrow(new Error(`ErrorPages.html${message}`));
  });
});
