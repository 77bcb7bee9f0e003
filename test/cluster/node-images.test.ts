import { hasImage } from '../../cluster/node-images';

const id = 'sha256:c801f81fb4297575a323f36d10de8f44a1bf68708a36137dfa8c884c9454cd3d';
const digest = 'sha256:561b5ed0d314d8f9b8569746f488cbeffc4e8ae483c5ca0844a47e726eae57d7';
const type = 'application/vnd.docker.distribution.manifest.v2+json';

function list(...entries: readonly (readonly [reference: string, digest: string])[]): string {
  const rows = entries.map(([reference, of]) => `${reference}   ${type} ${of} 94.3 MiB linux/amd64 -`);
  return ['REF   TYPE   DIGEST   SIZE PLATFORMS LABELS', ...rows, ''].join('\n');
}

test('a node has an image when its name and its id stand for the same content', () => {
  const images = list(['docker.io/library/fairlead-api:dev', digest], [id, digest]);
  expect(hasImage(images, 'fairlead-api:dev', id)).toBe(true);
});

test('a node has an image when the id is the digest itself, as with the containerd image store', () => {
  expect(hasImage(list(['docker.io/library/nginx:1.30', digest]), 'nginx:1.30', digest)).toBe(true);
});

test('a node that has another image of the same name lacks it', () => {
  const other = `sha256:${'0'.repeat(64)}`;
  const images = list(['docker.io/library/fairlead-api:dev', other], [id, digest]);
  expect(hasImage(images, 'fairlead-api:dev', id)).toBe(false);
});

test('a node that has the content under another name lacks it', () => {
  expect(hasImage(list([id, digest]), 'fairlead-api:dev', id)).toBe(false);
  expect(hasImage(list(), 'fairlead-api:dev', id)).toBe(false);
});

test.each([
  ['nginx:1.30', 'docker.io/library/nginx:1.30'],
  ['acme/api:1', 'docker.io/acme/api:1'],
  ['ghcr.io/acme/api:1', 'ghcr.io/acme/api:1'],
  ['localhost/api:1', 'localhost/api:1'],
  ['localhost:5000/api:1', 'localhost:5000/api:1'],
])('%s is known to a node as %s', (image, reference) => {
  expect(hasImage(list([reference, digest]), image, digest)).toBe(true);
});
