import { InvalidOption } from '../../validation/invalid-option';
import { dnsLabelName } from '../../validation/names';

/** The Service behind it is called `NAME-cluster-ip`, and names of Services have 63 letters at most. */
const longest = 63 - '-cluster-ip'.length;

/** The id of the construct, and so the name of its objects and of its namespace: what fairlead would refuse is refused here. */
export function apiName(option: string, value: string): string {
  const name = dnsLabelName(option, value);
  if (name.length > longest) throw new InvalidOption(option, name, `is too long: give at most ${longest} letters`);
  if (isTaken(name)) {
    throw new InvalidOption(
      option,
      name,
      'is the name of the proxy or of a namespace of the cluster: give another, such as "orders"',
    );
  }
  return name;
}

/** The next best name to what an app or a folder is called. */
export function nearestApiName(text: string): string {
  const letters = text
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest - '-api'.length)
    .replace(/^-+|-+$/g, '');
  if (letters === '') return 'api';
  return isTaken(letters) ? `api-${letters}` : letters;
}

function isTaken(name: string): boolean {
  return name === 'nginx' || name === 'default' || name.startsWith('kube-');
}
