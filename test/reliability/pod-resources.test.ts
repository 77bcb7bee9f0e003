import { mostOf } from '../../reliability/pod-resources';

test('the most of each is taken on its own, memory without what the page cache can drop', () => {
  const lines = '1000 200 4000 0 4 1\n3000 2500 4000 8 4 1\n900 0 4000 2 8 3\n';
  expect(mostOf(lines)).toEqual({ memory: 900, memoryLimit: 4000, disk: 2 * 512 + 8 * 1024, killed: 2 });
});

test('a second in which the container was gone has no sample', () => {
  expect(mostOf('   0  \n1000 200 4000 0 4 0\n')).toEqual({ memory: 800, memoryLimit: 4000, disk: 4096, killed: 0 });
});

test('no sample at all is an error, not nothing held', () => {
  expect(() => mostOf('')).toThrow("no samples of a pod's resources");
});
