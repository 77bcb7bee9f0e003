import { FilesModel, RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node, quote, quoteWithVariables } from '../directive';
import { compressedTypes } from '../headers-section';
import { authority } from '../place';
import { Plan } from '../plan';
import { isAuthenticated } from './auth-section';
import { literal } from './conditions-section';
import { charsetTypes, compressedFiles, fileTypes } from './media-types';
import { errorAnswers, errorPathOf, methodNotAllowed, namedError } from './route-errors-section';

/**
 * Maps from a path to a file. They stand on the path as nginx has decoded and resolved it, so that none leads out of the
 * directory; "(?s)" and "\z" since a path may have line breaks in it.
 */
export function filesSection(plan: Plan): Node[] {
  const served = plan.routes.flatMap((route) => (directoryOf(plan, route) === undefined ? [] : [route]));
  const targets = served.flatMap(({ target }) => (target.kind === 'files' ? [target] : []));
  if (served.length === 0) return [];
  return [
    heading('Files that nginx itself serves: which one a path names, and how long it may be kept'),
    ...served.flatMap((route) => fileMap(plan, route)),
    ...(targets.some(({ singlePage }) => singlePage) ? [pageMap] : []),
    ...(served.some((route) => cacheVariable(plan, route) === '$file_cache') ? [fingerprintMap] : []),
    ...served.flatMap((route) => immutableMap(plan, route)),
    directive('output_buffers 2 16k', 'no more memory than an answer of a backend takes'),
    directive(`charset_types ${charsetTypes.join(' ')}`, 'text/html is always among them'),
    block(
      'map $request_uri $uri_with_slash',
      [
        directive(
          `${quote('path', '~^(?<path_as_sent>[^?#]*)(?<query_as_sent>\\?.*)?$')} "$path_as_sent/$query_as_sent"`,
        ),
      ],
      'as the client wrote it: no decoded byte reaches a header',
    ),
  ];
}

/**
 * What a route does that serves files, in a location of its path or in one that conditions choose. Nothing is said of what is there
 * before "try_files", which comes after the rules for who may ask.
 */
export function files(plan: Plan, route: RouteModel, target: FilesModel, location?: string): Node[] {
  const directory = directoryOf(plan, route);
  if (directory === undefined) {
    const text = `The files of ${target.source} are not on this machine: say where they are by local.directory`;
    return [directive('default_type text/plain'), directive(`return 503 ${quoteWithVariables('source', text)}`)];
  }
  const file = fileVariable(plan, route);
  // The path of the route without a slash is never a file.
  const isFile = location !== `= ${route.path.path}`;
  return [
    root(directory),
    ...(isFile ? [...fileType(plan), ...cacheControl(route, cacheVariable(plan, route))] : []),
    directive(`error_page 405 ${namedError(plan, route, methodNotAllowed)}`),
    ...missing(plan, route),
    block('if ($request_method !~ "^(?:GET|HEAD)$")', [directive('return 405')], 'a file can be read, and no more'),
    block(`if (${file} = "")`, [directive('return 404')]),
    directive(`try_files ${file} @no_file_${route.name}`),
  ];
}

/** Where requests go on to that name no file: each has all rules of the route. */
export function filesLocations(plan: Plan, route: RouteModel, policies: readonly Node[]): Node[] {
  const { target, name } = route;
  const directory = directoryOf(plan, route);
  if (target.kind !== 'files' || directory === undefined) return [];
  return [
    block(`location @no_file_${name}`, [
      ...policies,
      root(directory),
      ...(target.singlePage ? [...pageType(plan), ...cacheControl(route, 'no-cache')] : []),
      directive(`error_page 418 = @directory_${name}`),
      ...missing(plan, route),
      block(`if (-f $document_root${fileVariable(plan, route)}/index.html)`, [directive('return 418')]),
      directive(target.singlePage ? 'try_files $page =404' : 'return 404'),
    ]),
    block(`location @directory_${name}`, [
      ...policies,
      ...cacheControl(route, 'no-cache'),
      directive(
        `return 308 https://${authority(plan.place)}$uri_with_slash`,
        'with a slash: links of its page are relative to it',
      ),
    ]),
    block(`location @missing_${name}`, [
      ...policies,
      root(directory),
      ...pageType(plan),
      ...cacheControl(route, 'no-cache always'),
      directive(
        `try_files /404.html ${errorPathOf(plan, route)}`,
        "the directory's own page, with the status of the error",
      ),
    ]),
  ];
}

/** Error pages of a location, which has those of the server no more when it has one of its own. */
function missing(plan: Plan, route: RouteModel): Directive[] {
  return [directive(`error_page 404 @missing_${route.name}`), ...errorAnswers(plan, route)];
}

function directoryOf({ place }: Plan, { target }: RouteModel): string | undefined {
  return target.kind === 'files' ? place.filesDirectories.get(target.source) : undefined;
}

function fileVariable(plan: Plan, route: RouteModel): string {
  return `$file_${plan.variableOf(route)}`;
}

/** Gives nothing of what is not to be served, whatever is in the directory. */
function fileMap(plan: Plan, route: RouteModel): Directive[] {
  const prefix = route.path.path === '/' ? '' : literal(route.path.path);
  const line = (expression: string, file: string, reason?: string): Directive =>
    directive(`${quote('path', `~(?s)${expression}`)} ${file}`, reason);
  return [
    block(`map $uri ${fileVariable(plan, route)}`, [
      line('/\\.(?!well-known(?:/|\\z))', '""', 'no name that begins with a dot: .git, .env'),
      line(`^${prefix}(?<file_below>/(?:.*/)?)\\z`, '"${file_below}index.html"'),
      line(`^${prefix}(?<file_below>/.+)\\z`, '$file_below'),
      ...(prefix === '' ? [] : [line(`^${prefix}\\z`, '/.', 'the directory')]),
    ]),
  ];
}

const pageMap = block(
  'map $uri $page',
  [directive('default /index.html'), directive('"~(?s)\\.[^/]*\\z" ""')],
  'an application knows its own paths; a name with a dot is a file, and what is missing is not answered with a page',
);

/**
 * The hash of a file's content that tools put into its name, between "-" or "." and the ending: webpack's and Parcel's of 8 or
 * more hexadecimal digits, letters and numbers among them; Vite's and esbuild's of 8 characters, with such capitals and numbers as
 * no word has. A name that only looks like one would be kept for a year, so that others are asked for again.
 */
const fingerprints = [
  '[-.](?=\\d*[a-f])(?=[a-f]*\\d)[0-9a-f]{8,}\\.[^/]*\\z',
  '[-.](?=[\\w-]{8}\\.)(?=[^.]*[a-z])(?=[^.]*[A-Z])(?=[^.]*\\d)[\\w-]{8}\\.[^/]*\\z',
  '[-.](?=[^.]*(?:[A-Z][^.]*[A-Z\\d]|\\d[^.]*[A-Z]))[\\w-]{8}\\.(?:m?js|css)(?:\\.map)?\\z',
  '^/(?:_next/static|_astro|_app/immutable)/',
];

const fingerprintMap = cacheMap('$file_cache', fingerprints, 'a name with a fingerprint has one content for ever');

function immutableMap(plan: Plan, route: RouteModel): Directive[] {
  const variable = cacheVariable(plan, route);
  const { target } = route;
  if (target.kind !== 'files' || !variable.startsWith('$cache_')) return [];
  const directories = target.immutable?.map((path) => `^${path === '/' ? '' : literal(path)}/`);
  return isForSome(route)
    ? [
        cacheMap(
          variable,
          directories ?? fingerprints,
          'private: a cache that others share keeps none of it',
          'private',
        ),
      ]
    : [cacheMap(variable, directories ?? fingerprints)];
}

/** Whether a cache that others share could give it to somebody who may not have it. */
function isForSome(route: RouteModel): boolean {
  return isAuthenticated(route) || route.allowFrom !== undefined;
}

/** By the file that was found, and not by the path that led to it. */
function cacheMap(
  variable: string,
  expressions: readonly string[],
  reason?: string,
  whose: 'public' | 'private' = 'public',
): Directive {
  return block(
    `map "$status $uri" ${variable}`,
    [
      directive('default no-cache'),
      ...expressions.map((expression) => {
        const anywhere = expression.startsWith('^') ? expression.slice(1) : `.*${expression}`;
        return directive(
          `${quote('immutable', `~(?s)^(?:200|206|304) ${anywhere}`)} "${whose}, max-age=31536000, immutable"`,
        );
      }),
    ],
    reason,
  );
}

function cacheVariable(plan: Plan, route: RouteModel): string {
  const { target } = route;
  if (target.kind !== 'files' || (target.immutable === undefined && !isForSome(route))) return '$file_cache';
  return target.immutable?.length === 0 ? 'no-cache' : `$cache_${plan.variableOf(route)}`;
}

function cacheControl({ responseHeaders }: RouteModel, value: string): Directive[] {
  if (responseHeaders.some(([name]) => name.toLowerCase() === 'cache-control')) return [];
  return [
    directive(`add_header Cache-Control ${value}`, 'no-cache: it may be kept, but is asked for before it is used'),
  ];
}

function root(directory: string): Directive {
  return directive(`root ${quoteWithVariables('directory', directory)}`);
}

/** What a browser makes of a file, which it may not guess (nosniff), and what of it is compressed. */
function fileType({ proxy }: Plan): Node[] {
  return [
    block(
      'types',
      Object.entries(fileTypes).map(([type, endings]) => directive(`${type} ${endings}`)),
      'by the ending of the name',
    ),
    directive('default_type application/octet-stream'),
    utf8,
    ...(proxy.gzip
      ? [gzipStatic, directive(`gzip_types ${[...new Set([...compressedTypes, ...compressedFiles])].sort().join(' ')}`)]
      : []),
  ];
}

/** The same where nothing but a page is served. */
function pageType({ proxy }: Plan): Directive[] {
  return [directive('default_type text/html'), utf8, ...(proxy.gzip ? [gzipStatic] : [])];
}

const utf8 = directive('charset utf-8', 'a browser would guess');
const gzipStatic = directive('gzip_static on', 'a file beside it that was compressed before: app.js.gz');
