import { type LogFieldName, logFields, type LongestRequest } from '../../../model/access-log/fields';
import { longestLine, refuseLongLines } from '../../../model/access-log/longest-line';
import type { AddedField } from '../../../model/access-log/options';

const all = Object.keys(logFields) as LogFieldName[];
const always = all.filter((name) => logFields[name].onlyWith === undefined);

/** A request of so many tries, the last of which is the fallback. */
function asked(tries: number): LongestRequest {
  return { tries, rounds: 3, upstreamName: 'orders_fallback'.length, sentDigits: 7 };
}

const answeredByNginx: LongestRequest = { tries: 0, rounds: 0, upstreamName: 0, sentDigits: 0 };

function added(name: string, maxLength: number): AddedField {
  return { name, source: { kind: 'requestHeader', name: 'X-Tenant' }, maxLength };
}

test('every line fits without options, with as many tries as there may be', () => {
  expect(longestLine({ documented: always, added: [] }, asked(5))).toBe(3473);
  expect(longestLine({ documented: always, added: [] }, asked(12))).toBe(4012);
  // A line with a sample is refused if it does not fit.
  const withoutOptions = all.filter((name) => name !== 'sample' && name !== 'trace_id');
  expect(longestLine({ documented: withoutOptions, added: [] }, asked(12))).toBeLessThanOrEqual(4096);
  expect(longestLine({ documented: all, added: [] }, answeredByNginx)).toBeLessThanOrEqual(4096);
});

test('a line is as long as JSON has it', () => {
  const values = {
    ...{ trace_id: '0'.repeat(32), status: 200, method: 'A'.repeat(20), tls: 'TLSv1.3' },
    tenant: '\\'.repeat(7),
  };
  const documented = ['trace_id', 'status', 'method', 'tls'] as const;
  expect(longestLine({ documented, added: [added('tenant', 7)] }, asked(5))).toBe(`${JSON.stringify(values)}\n`.length);
});

test('a line has lists as nginx writes them', () => {
  const address = '[fd00:1111:2222:3333:4444:5555:6666:7777]:65535';
  const line = JSON.stringify({ upstream_addr: `${address}, ${address}, ${address} : ${address} : ${address}` });
  expect(longestLine({ documented: ['upstream_addr'], added: [] }, asked(5))).toBe(`${line}\n`.length);
});

test('the name of an upstream may stand for an address, once in each round', () => {
  const fields = { documented: ['upstream_addr'], added: [] } as const;
  const longName = { ...asked(5), upstreamName: 57 };
  expect(longestLine(fields, longName) - longestLine(fields, asked(5))).toBe(3 * 10);
});

describe('what does not fit', () => {
  const requests = [answeredByNginx, asked(5)];
  const two = [added('tenant', 64), added('trace', 300)];
  const shorter = always.filter((name) => name !== 'user_agent');

  test('is refused with its sum', () => {
    expect(() => {
      refuseLongLines({ documented: always, added: two }, requests);
    }).toThrow(
      new Error(
        'accessLog.add: "4224 bytes" is what a line may take (3473 of documented fields, 140 of tenant, 611 of trace), and a pipe takes no more than 4096 in one piece: give fewer fields, or shorter ones (maxLength), or omit: ["user_agent"], which saves 816',
      ),
    );
  });

  test('fits with a byte less, or without the user agent', () => {
    const withBytes = (bytes: number) => () => {
      refuseLongLines({ documented: always, added: [added('trace', bytes)] }, requests);
    };
    expect(withBytes(306)).not.toThrow();
    expect(withBytes(307)).toThrow('accessLog.add: "4098 bytes" ');
    expect(() => {
      refuseLongLines({ documented: shorter, added: two }, requests);
    }).not.toThrow();
  });

  test('is not told to leave out what is left out', () => {
    expect(() => {
      refuseLongLines({ documented: shorter, added: [added('tenant', 1000)] }, requests);
    }).toThrow(/in one piece: give fewer fields, or shorter ones \(maxLength\)$/);
  });

  test('is refused of a sample too', () => {
    const most = { ...asked(12), sentDigits: 13 };
    expect(() => {
      refuseLongLines({ documented: all, added: [] }, [most]);
    }).toThrow('accessLog.sample: "4213 bytes" is what a line may take (4213 of documented fields)');
  });
});
