import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientsPage, writeClientsReport } from '../../../reliability/clients/clients-page';
import { type ClientRow, type ClientsResult, notReached } from '../../../reliability/clients/clients-result';
import { run } from '../scenario';

function row(changes: Partial<ClientRow> = {}): ClientRow {
  return {
    client: 'Java java.net.http',
    protocol: 'h2',
    roundTrip: 0,
    phase: 'at-rest',
    sent: 9012,
    failed: 0,
    errors: {},
    ...changes,
  };
}

function result(...rows: readonly ClientRow[]): ClientsResult {
  return {
    run,
    rate: 100,
    clients: [{ name: 'Java java.net.http', version: 'JDK 17' }],
    missing: [{ name: 'Python httpx', reason: 'python3 is not installed, or not on the PATH' }],
    rows,
  };
}

const lost = { failed: 7, errors: { 'GOAWAY `received`': 5, 'status 503': 2 } };

test('the table has a line for each client and protocol, and a column for each phase and round trip', () => {
  const page = clientsPage(
    result(
      row(),
      row({ phase: 'rollout-nginx', roundTrip: 50, ...lost }),
      row({ protocol: 'http/1.1', sent: 8900 }),
      row({ client: 'Go net/http', sent: 9100 }),
    ),
  );
  expect(page).toContain(`| client | protocol | at rest | rollout of nginx, 50 ms |
| --- | --- | ---: | ---: |
| Java java.net.http | HTTP/2 | 0 of 9,012 | 7 of 9,012 |
| Java java.net.http | HTTP/1.1 | 0 of 8,900 |  |
| Go net/http | HTTP/2 | 0 of 9,100 |  |
`);
});

test('the page says what the clients said, the most frequent first', () => {
  const page = clientsPage(result(row(), row({ phase: 'rollout-nginx', ...lost })));
  expect(page).toContain('- Java java.net.http, h2, rollout of nginx: 5 × `` GOAWAY `received` ``, 2 × `status 503`\n');
});

test('the page names the versions that were run, and the clients that were missing', () => {
  const page = clientsPage(result(row()));
  expect(page).toContain('- Java java.net.http: JDK 17\n');
  expect(page).toContain('- Python httpx: **missing**, python3 is not installed, or not on the PATH\n');
  expect(page).not.toContain('What they said');
});

test('the page and its figures are written', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-clients-'));
  try {
    const written = result(row());
    writeClientsReport(directory, written);
    expect(JSON.parse(readFileSync(join(directory, 'clients.json'), 'utf8'))).toEqual(written);
    expect(readFileSync(join(directory, 'clients.md'), 'utf8')).toBe(clientsPage(written));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.each([
  ['at-rest', 'Java java.net.http', true],
  ['rollout-api', 'Java java.net.http', true],
  ['rollout-nginx', 'Java java.net.http', false],
  ['keepalive-time', 'Java java.net.http', false],
  ['rollout-nginx', 'Go net/http', true],
  ['keepalive-time', 'Go net/http', true],
] as const)('what is lost in %s by %s fails the run: %p', (phase, client, fails) => {
  const missed = notReached([row({ phase, client }), row({ phase, client, roundTrip: 50, ...lost })]);
  expect(missed).toEqual(fails ? [`${client}, h2, 50 ms, ${phase}: 7 of 9012 lost`] : []);
});
