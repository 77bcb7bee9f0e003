import { budget } from '../../model/budget';
import type { CacheModel } from '../../model/routes/response-cache';
import { defaults, MiB } from './budget-settings';

/** Whose memory carries 30 requests and 16 streams. */
const small = { ...defaults, memoryLimit: 64 * MiB, workers: 1, hasStreams: true };

function cache(size: number, maxAnswerSize: number): CacheModel {
  return { size, maxAnswerSize, valid: undefined, staleFor: 600, backgroundUpdate: false, key: [] };
}

describe('Bodies', () => {
  test('let in as many requests as they fill the disk, down to those of one connection of HTTP/2', () => {
    const { requests, temporaryStorage } = budget({ ...defaults, maxBodySize: 64 * MiB });
    expect([requests, temporaryStorage]).toEqual([128, 8192 * MiB]);
    expect(() => budget({ ...defaults, maxBodySize: 65 * MiB })).toThrow(
      /^maxBodySize: "65m" does not fit: 660 requests at once with bodies of 65m are 42900Mi of temporary files/,
    );
  });

  test('let in as many as memory does, where that is fewer', () => {
    expect(budget({ ...small, temporaryStorage: 46 * MiB })).toMatchObject({ requests: 30, streams: 16 });
    expect(() => budget({ ...small, temporaryStorage: 45 * MiB })).toThrow(
      /^resources\.temporaryStorage: "45Mi" does not fit: 46 requests at once with bodies of 1m are 46Mi/,
    );
  });

  test('of streams take room too', () => {
    const made = budget({ ...defaults, hasStreams: true, maxStreams: 100, maxBodySize: 32 * MiB });
    expect([made.requests, made.streams, made.temporaryStorage]).toEqual([156, 100, 8192 * MiB]);
  });

  test('are as many as were asked for, if they fit', () => {
    const given = { ...defaults, maxBodySize: 64 * MiB };
    expect(budget({ ...given, maxRequests: 128 }).temporaryStorage).toBe(8192 * MiB);
    expect(() => budget({ ...given, maxRequests: 129 })).toThrow(
      /^clients\.maxRequests: 129 does not fit: 129 requests at once with bodies of 64m are 8256Mi of temporary files, and 8192Mi are there: .* clients\.maxRequests 128 or less$/,
    );
  });
});

describe('Answers that are kept', () => {
  test('take nothing where there is no cache', () => {
    expect(budget(defaults)).toMatchObject({ keptAnswers: 0, cacheStorage: 0 });
  });

  test('take what all caches keep, what is being fetched of the largest, and what nginx has not noticed yet', () => {
    const made = budget({ ...defaults, caches: [cache(512 * MiB, 40 * MiB), cache(64 * MiB, MiB)] });
    expect([made.requests, made.keptAnswers]).toEqual([204, 576 * MiB]);
    expect(made.cacheStorage).toBe((576 + 204 * 40 + 1024) * MiB);
  });

  test('let in as many requests as are fetched at once, down to those of one connection of HTTP/2', () => {
    const { requests, cacheStorage } = budget({ ...defaults, caches: [cache(64 * MiB, 64 * MiB)] });
    expect([requests, cacheStorage]).toEqual([128, (64 + 8192 + 1024) * MiB]);
    expect(() => budget({ ...defaults, caches: [cache(65 * MiB, 65 * MiB)] })).toThrow(
      /^ResponseCache\.of maxAnswerSize: "65m" does not fit: \d+ answers that are fetched at once are \d+Mi of temporary files, and 8192Mi are what a node is sure to have: give less, or clients\.maxRequests 126 or less$/,
    );
  });

  test('are refused where more are asked for than fit', () => {
    const given = { ...defaults, caches: [cache(64 * MiB, 64 * MiB)] };
    expect(budget({ ...given, maxRequests: 128 }).cacheStorage).toBe((64 + 8192 + 1024) * MiB);
    expect(() => budget({ ...given, maxRequests: 129 })).toThrow(
      /^ResponseCache\.of maxAnswerSize: "64m" does not fit: 129 answers that are fetched at once are 8256Mi/,
    );
  });
});
