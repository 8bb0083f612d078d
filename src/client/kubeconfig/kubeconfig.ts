/**
 * Kubeconfigs: clusters, users, and contexts that combine one of each. They are read from one or several
 * files, where the first entry of a name wins, as in client-go's clientcmd, and written for a server that
 * stint starts.
 *
 * Credential plugins (`exec`, `auth-provider`) and passwords are not supported: a user entry that needs one
 * is rejected with the reason.
 */

import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { listAt, objectAt, textAt } from '../raw-object.ts';

/** The address of a server, and the credentials for it. */
export interface ServerAccess {
	/** The URL of the server, such as `https://127.0.0.1:6443`; it may have a path. */
	readonly server: string;
	/** The namespace of the context; `default` if the context has none. */
	readonly namespace: string;
	/** The certificates of the authorities that the client trusts, in PEM. */
	readonly certificateAuthority?: string;
	readonly skipTlsVerify?: boolean;
	/** The expected name in the server's certificate; the host of `server` by default. */
	readonly tlsServerName?: string;
	/** The bearer token. */
	readonly token?: string;
	/** The client certificate in PEM; only together with `clientKey`. */
	readonly clientCertificate?: string;
	readonly clientKey?: string;
	/**
	 * The path of a Unix socket at which the same server serves the same API without TLS, as an entry written by
	 * stint names it. The caller decides whether it is safe to use.
	 */
	readonly socket?: string;
}

/** A kubeconfig file and its text. Relative paths in the text start at the folder of `path`. */
export interface KubeconfigFile {
	readonly path: string;
	readonly text: string;
}

/** A kubeconfig cannot be used. The message names the file or entry, and the reason. */
export class KubeconfigError extends Error {
	override readonly name = 'KubeconfigError';
}

/**
 * Parses `files`; resolves to the access of `context`, by default of the current context. `readFile` reads
 * the certificates and tokens to which the kubeconfig refers by path. Rejects with a KubeconfigError.
 */
export async function readKubeconfig(
	files: readonly KubeconfigFile[],
	options: { readonly context?: string; readonly readFile: (path: string) => Promise<string> },
): Promise<ServerAccess> {
	const [first, ...others] = files;
	const own = first && others.length === 0 && !options.context ? parseWritten(first.text) : undefined;
	if (own) {
		const { server, certificateAuthority, token, socket } = own;
		return { server, namespace: 'default', certificateAuthority, token, ...defined('socket', socket) };
	}
	const { parse } = await import('yaml');
	const parsed = files.map(({ path, text }) => ({ path, config: parseFile(path, text, parse) }));
	const named = parsed.map(({ config }) => textAt(config, 'current-context')).find((name) => name);
	const contextName = options.context ?? named;
	if (!contextName) throw new KubeconfigError(`${describe(files)}: no current-context is set`);
	const context = pick(parsed, 'context', contextName);
	const cluster = pick(parsed, 'cluster', textAt(context.value, 'cluster') ?? '');
	const userName = textAt(context.value, 'user');
	const user = userName ? pick(parsed, 'user', userName) : undefined;
	return resolveAccess({ context, cluster, user }, options.readFile);
}

/** The access that stint writes into a kubeconfig for its own server. */
export interface WrittenAccess {
	/** The name of the cluster, of the user and of the context. */
	readonly name: string;
	readonly server: string;
	/** The certificate of the server's authority, in PEM. */
	readonly certificateAuthority: string;
	readonly token: string;
	/** See {@link ServerAccess.socket}. */
	readonly socket?: string;
}

/** The name of the extension of a cluster entry that holds the Unix socket. Other clients ignore it. */
const EXTENSION = 'stint';

/** The text of a kubeconfig with one cluster, one user with a token and one context, all named `name`. */
export function writeKubeconfig(access: WrittenAccess): string {
	// JSON strings are valid YAML and the keys are plain scalars, so this needs no YAML library.
	const name = JSON.stringify(access.name);
	return [
		'apiVersion: v1',
		'kind: Config',
		`current-context: ${name}`,
		'clusters:',
		`- name: ${name}`,
		'  cluster:',
		`    server: ${JSON.stringify(access.server)}`,
		`    certificate-authority-data: ${btoa(access.certificateAuthority)}`,
		...(access.socket === undefined ? [] : extensionLines(access.socket, access.server)),
		'users:',
		`- name: ${name}`,
		'  user:',
		`    token: ${JSON.stringify(access.token)}`,
		'contexts:',
		`- name: ${name}`,
		'  context:',
		`    cluster: ${name}`,
		`    user: ${name}`,
		'',
	].join('\n');
}

/**
 * The extension repeats the address of the server: if a user changes the entry to reach another server, the socket
 * no longer belongs to it.
 */
function extensionLines(socket: string, server: string): readonly string[] {
	return [
		'    extensions:',
		`    - name: ${EXTENSION}`,
		'      extension:',
		`        socket: ${JSON.stringify(socket)}`,
		`        server: ${JSON.stringify(server)}`,
	];
}

/** Whether {@link writeKubeconfig} has written `text` for a server called `name`, with any address and token. */
export function isWrittenFor(name: string, text: string): boolean {
	return parseWritten(text)?.name === name;
}

/**
 * The access in a text that {@link writeKubeconfig} has written, which must be equal byte for byte; undefined
 * for any other text. Most commands read such a file, and loading a YAML library would add 10 ms to each.
 */
function parseWritten(text: string): WrittenAccess | undefined {
	const value = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
	try {
		const socket = value(/^ {8}socket: (".*")$/m);
		const access = {
			...(socket && { socket: String(JSON.parse(socket)) }),
			name: String(JSON.parse(value(/^current-context: (".*")$/m))),
			server: String(JSON.parse(value(/^ {4}server: (".*")$/m))),
			certificateAuthority: atob(value(/^ {4}certificate-authority-data: (.*)$/m)),
			token: String(JSON.parse(value(/^ {4}token: (".*")$/m))),
		};
		if (Object.values(access).includes('')) return undefined;
		return writeKubeconfig(access) === text && URL.canParse(access.server) ? access : undefined;
	} catch {
		return undefined;
	}
}

/** An entry of `clusters`, `users` or `contexts`. */
interface Entry {
	/** The file that contains the entry. */
	readonly path: string;
	readonly name: string;
	readonly value: JsonRecord;
}

type Parsed = readonly { readonly path: string; readonly config: JsonRecord }[];

function parseFile(path: string, text: string, parse: (text: string) => unknown): JsonRecord {
	let config: unknown;
	try {
		config = parse(text);
	} catch (error) {
		throw new KubeconfigError(`${path}: ${error instanceof Error ? error.message : error}`);
	}
	if (config === null || config === undefined) return {};
	if (!isRecord(config)) throw new KubeconfigError(`${path}: this is not a kubeconfig`);
	return config;
}

/** The first entry called `name` in the list of any file. Throws a KubeconfigError if there is none. */
function pick(parsed: Parsed, field: 'context' | 'cluster' | 'user', name: string): Entry {
	for (const { path, config } of parsed) {
		for (const item of listAt(config, `${field}s`)) {
			if (textAt(item, 'name') === name) return { path, name, value: objectAt(item, field) };
		}
	}
	throw new KubeconfigError(`${describe(parsed)}: ${field} "${name}" does not exist`);
}

function describe(files: readonly { readonly path: string }[]): string {
	return files.map(({ path }) => path).join(', ');
}

async function resolveAccess(
	entries: { readonly context: Entry; readonly cluster: Entry; readonly user: Entry | undefined },
	readFile: (path: string) => Promise<string>,
): Promise<ServerAccess> {
	const { context, cluster, user } = entries;
	const server = textAt(cluster.value, 'server');
	if (!server || !URL.canParse(server)) {
		throw new KubeconfigError(`${cluster.path}: cluster "${cluster.name}" has no usable server address`);
	}
	if (user) rejectUnsupported(user);
	const pem = (entry: Entry | undefined, field: string): Promise<string | undefined> =>
		pemOf(entry, field, readFile);
	return {
		server,
		namespace: textAt(context.value, 'namespace') || 'default',
		...defined('certificateAuthority', await pem(cluster, 'certificate-authority')),
		...(cluster.value['insecure-skip-tls-verify'] === true && { skipTlsVerify: true }),
		...defined('tlsServerName', textAt(cluster.value, 'tls-server-name')),
		...defined('token', await tokenOf(user, readFile)),
		...defined('clientCertificate', await pem(user, 'client-certificate')),
		...defined('clientKey', await pem(user, 'client-key')),
		...defined('socket', socketOf(cluster, server)),
	};
}

/** The socket in the extension of a cluster entry; undefined if the extension belongs to another server. */
function socketOf(cluster: Entry, server: string): string | undefined {
	const own = listAt(cluster.value, 'extensions').find((item) => textAt(item, 'name') === EXTENSION);
	const extension = own && objectAt(own, 'extension');
	return extension && textAt(extension, 'server') === server ? textAt(extension, 'socket') : undefined;
}

function rejectUnsupported({ path, name, value }: Entry): void {
	// Ignoring the entry would send requests without credentials, and the user would see only `Unauthorized`.
	for (const method of ['exec', 'auth-provider', 'username']) {
		if (!(method in value)) continue;
		throw new KubeconfigError(
			`${path}: user "${name}" authenticates with "${method}", which is not supported; use a token or a client certificate`,
		);
	}
}

/** A certificate or key in PEM. Inline data takes precedence over a file, as in clientcmd. */
async function pemOf(
	entry: Entry | undefined,
	field: string,
	readFile: (path: string) => Promise<string>,
): Promise<string | undefined> {
	if (!entry) return undefined;
	const data = textAt(entry.value, `${field}-data`);
	if (data) return fromBase64(entry, `${field}-data`, data);
	const path = textAt(entry.value, field);
	return path ? readBeside(entry, path, readFile) : undefined;
}

async function tokenOf(
	user: Entry | undefined,
	readFile: (path: string) => Promise<string>,
): Promise<string | undefined> {
	if (!user) return undefined;
	const token = textAt(user.value, 'token');
	if (token) return token;
	const path = textAt(user.value, 'tokenFile');
	return path ? (await readBeside(user, path, readFile)).trim() : undefined;
}

function fromBase64({ path, name }: Entry, field: string, data: string): string {
	try {
		return atob(data.replace(/\s/g, ''));
	} catch {
		throw new KubeconfigError(`${path}: ${field} of "${name}" is not base64`);
	}
}

/** Reads a file to which an entry refers. A relative path starts at the folder of the entry's kubeconfig. */
async function readBeside(
	entry: Entry,
	path: string,
	readFile: (path: string) => Promise<string>,
): Promise<string> {
	const absolute = /^([A-Za-z]:)?[\\/]/.test(path);
	const folder = entry.path.replace(/[^\\/]*$/, '');
	try {
		return await readFile(absolute ? path : `${folder}${path}`);
	} catch (error) {
		throw new KubeconfigError(`${entry.path}: ${error instanceof Error ? error.message : error}`);
	}
}

/** An object with the field `name`, or an empty one: the types do not allow a field with the value undefined. */
function defined<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
	const part: { [P in K]?: string } = {};
	if (value !== undefined) part[name] = value;
	return part;
}
