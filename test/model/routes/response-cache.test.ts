import { RequestKey } from '../../../model/load-balancing';
import { ResponseCache } from '../../../model/routes/response-cache';

describe('A cache of answers', () => {
  test('has defaults, in bytes and seconds', () => {
    expect(ResponseCache.of().model).toEqual({
      size: 256 * 2 ** 20,
      maxAnswerSize: 2 ** 20,
      valid: undefined,
      staleFor: 600,
      backgroundUpdate: false,
      key: [],
    });
    expect(ResponseCache.none().model).toBeUndefined();
  });

  test('may keep one answer that fills it', () => {
    const { model } = ResponseCache.of({ size: '4m', maxAnswerSize: '4m' });
    expect(model).toMatchObject({ size: 4 * 2 ** 20, maxAnswerSize: 4 * 2 ** 20 });
  });

  test('may be updated behind answers that are not fresh, for however short a time', () => {
    const { model } = ResponseCache.of({ backgroundUpdate: true, staleFor: '1s' });
    expect(model).toMatchObject({ backgroundUpdate: true, staleFor: 1 });
  });

  test('tells answers apart by cookies of other letters, and by a header of the same name', () => {
    const key = [RequestKey.cookie('team'), RequestKey.cookie('Team'), RequestKey.header('Team')];
    expect(ResponseCache.of({ key }).model?.key).toEqual([
      { kind: 'cookie', name: 'team' },
      { kind: 'cookie', name: 'Team' },
      { kind: 'header', name: 'Team' },
    ]);
    expect(() => ResponseCache.of({ key: [...key, RequestKey.cookie('team')] })).toThrow(
      new Error('ResponseCache.of key: "team" is given twice: take one out'),
    );
  });
});
