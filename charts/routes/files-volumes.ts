import { filesDirectory } from '../proxy/nginx-pod';
import type { DeploymentManifest } from '../pods/rolling-deployment';
import type { MountedFiles } from './static-files';

type PodManifest = DeploymentManifest['spec']['template']['spec'];

/** Where the volume is while it is filled: no image has a directory of this name, which would be hidden. */
const copyDirectory = '/fairlead-copied-files';
/** MiB of the log of what copies, which the kubelet rotates. */
const logMebibytes = 64;

/**
 * Brings files into the pods of nginx, which alone can read them there: those of an image are copied before it starts, those of a ConfigMap
 * are mounted. They come last, as patches of a user go by position.
 */
export function mountFiles(spec: PodManifest, files: readonly MountedFiles[], imagePullPolicy: string): void {
  const [nginx] = spec.containers;
  if (nginx === undefined) return;
  for (const { name, origin } of files) {
    nginx.volumeMounts.push({ name, mountPath: `${filesDirectory}/${name}`, readOnly: true });
    if (origin.kind === 'configMap') {
      spec.volumes.push({ name, configMap: { name: origin.name } });
      continue;
    }
    const mebibytes = Math.ceil(origin.sizeLimit / 2 ** 20);
    spec.volumes.push({ name, emptyDir: { sizeLimit: `${mebibytes}Mi` } });
    spec.initContainers ??= [];
    spec.initContainers.push({
      name: `copy-${name}`,
      image: origin.image,
      imagePullPolicy,
      command: copy(origin.directory, copyDirectory),
      // An image may start in a directory that only its own user can enter.
      workingDir: '/',
      resources: {
        requests: { cpu: '50m', memory: '32Mi', 'ephemeral-storage': `${mebibytes}Mi` },
        limits: { cpu: '1', memory: '128Mi', 'ephemeral-storage': `${mebibytes + logMebibytes}Mi` },
      },
      // The user of nginx, whatever the image says, and as restricted.
      securityContext: nginx.securityContext,
      // `kubectl describe pod` says why it failed.
      terminationMessagePolicy: 'FallbackToLogsOnError',
      volumeMounts: [{ name, mountPath: copyDirectory }],
    });
  }
}

/**
 * -L: a link is followed here, where it leads into the image, and not by nginx, where it would lead to the certificate. -f: a file that is there
 * already, as after a restart of the node, is replaced though it is read-only. Not -p: tools that make the same image from the same
 * files set one time for all of them, and two versions of a page of the same length would have one ETag.
 */
export function copy(from: string, to: string): string[] {
  return ['cp', '-RLf', `${from}/.`, `${to}/`];
}
