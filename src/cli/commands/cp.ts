import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import { pods } from '../../api/core/pod/definition.ts';
import { pathOf } from '../../client/client.ts';
import { type CliContext, CommandError, type CommonFlags } from '../context.ts';
import { type CopySpec, cleanParts, copySpecOf } from '../cp/copy-spec.ts';
import { type LocalFiles, OutsideError } from '../cp/local-files.ts';
import { BLOCK_BYTES, fillBytes, headBlock, type TarHead } from '../cp/tar-blocks.ts';
import { tarEntries } from '../cp/tar-reader.ts';
import { exitCodeOfSession } from '../streams/session-exit.ts';
import { streamedContainer, streamedPod } from '../streams/stream-pod.ts';

/** The flags of `cp`. */
export interface CpFlags extends CommonFlags {
	readonly container?: string;
}

type Remote = Extract<CopySpec, { readonly type: 'remote' }>;

/** Runs a command in the container; resolves to its session. */
type Run = (command: readonly string[], stdin: boolean) => Promise<Duplex>;

/**
 * `stint cp SRC DEST`: copies files to or from a container by `tar`, which the container must have. The archive of a
 * container is not trusted: nothing is written outside of the destination or through a link, and links are skipped.
 */
export async function cp(context: CliContext, words: readonly string[], flags: CpFlags): Promise<number> {
	const [from, to, ...more] = words;
	if (from === undefined || to === undefined || more.length > 0)
		throw new CommandError('source and destination are required');
	const [source, target] = [copySpecOf(from), copySpecOf(to)];
	if (source.path === '' || target.path === '') throw new CommandError('filepath can not be empty');
	const paths = { source: source.path, target: target.path };
	if (source.type === 'remote' && target.type === 'local')
		return download(context, await runner(context, source, flags), paths);
	if (source.type === 'local' && target.type === 'remote')
		return upload(context, await runner(context, target, flags), paths);
	throw new CommandError(
		source.type === 'local'
			? 'one of src or dest must be a local file specification, and the other one a remote one'
			: 'one of src or dest must be a local file specification',
	);
}

async function runner(context: CliContext, { namespace, pod: word }: Remote, flags: CpFlags): Promise<Run> {
	const connection = await context.connect(flags.kubeconfig);
	const where = namespace ?? flags.namespace ?? connection.namespace;
	const pod = await streamedPod(context, connection, { word, namespace: where, waitMs: 1 });
	const { name: container } = streamedContainer(pod, flags.container, (text) =>
		context.stderr.print(`${text}\n`),
	);
	const path = `${pathOf(pods, where)}/${pod.metadata.name}/exec`;
	return (command, stdin) => {
		const query = { command, container, stdout: 'true', stderr: 'true', ...(stdin && { stdin: 'true' }) };
		return connection.client.transport.duplex({ method: 'GET', path, query });
	};
}

interface Paths {
	readonly source: string;
	readonly target: string;
}

async function upload(context: CliContext, run: Run, { source, target }: Paths): Promise<number> {
	const { stderr } = context;
	const files = await context.localFiles();
	if (!(await files.stat(source))) throw new CommandError(`${source} doesn't exist in local filesystem`);
	const base = cleanParts(source).at(-1) ?? '';
	const trimmed = target.replace(/(.)\/+$/, '$1');
	const isFolder = (await resultOf(await run(['test', '-d', trimmed], false), () => undefined)) === 0;
	const full = isFolder ? `${trimmed}/${base}` : trimmed;
	const cut = full.lastIndexOf('/');
	const folder = cut < 0 ? undefined : full.slice(0, cut) || '/';
	const session = await run(['tar', '-xmf', '-', ...(folder === undefined ? [] : ['-C', folder])], true);
	const sending = sendArchive(session, files, { source, target: full.slice(cut + 1) });
	const code = await resultOf(session, (bytes) => stderr.print(new TextDecoder().decode(bytes)));
	await sending;
	if (code !== 0) stderr.print(`command terminated with exit code ${code}\n`);
	return code;
}

/** Sends the archive of a file, or of a folder with all that is in it, and the end of the input. */
async function sendArchive(session: Duplex, files: LocalFiles, paths: Paths): Promise<void> {
	for await (const bytes of archive(files, paths))
		if (!(await session.send({ type: 'data', channel: CHANNELS.stdin, bytes }))) return;
	const end = Buffer.alloc(2 * BLOCK_BYTES);
	await session.send({ type: 'data', channel: CHANNELS.stdin, bytes: end });
	await session.send({ type: 'end', channel: CHANNELS.stdin });
}

async function* archive(files: LocalFiles, { source, target }: Paths): AsyncGenerator<Uint8Array> {
	const found = await files.stat(source);
	// A socket or a broken link is not copied, as by kubectl.
	if (!found || found.type === 'other') return;
	const { mode, modified } = found;
	if (found.type === 'folder') {
		yield* heads({ name: `${target}/`, mode, modified, size: 0, type: '5' });
		for (const name of await files.list(source))
			yield* archive(files, { source: `${source}/${name}`, target: `${target}/${name}` });
		return;
	}
	yield* heads({ name: target, mode, modified, size: found.size, type: '0' });
	let left = found.size;
	for await (const bytes of files.read(source)) {
		const part = bytes.subarray(0, left);
		left -= part.length;
		if (part.length > 0) yield part;
	}
	// A file that has become shorter is filled up: the head has said its size.
	for (left += fillBytes(found.size); left > 0; left -= BLOCK_BYTES)
		yield Buffer.alloc(Math.min(left, BLOCK_BYTES));
}

/** The head of an entry, after an entry with its name if that is long. */
function* heads(head: TarHead): Generator<Uint8Array> {
	const name = Buffer.from(`${head.name}\0`);
	if (name.length > MAX_SHORT_NAME) {
		yield headBlock({ name: '././@LongLink', mode: 0, modified: 0, size: name.length, type: 'L' });
		yield Buffer.concat([name, Buffer.alloc(fillBytes(name.length))]);
	}
	yield headBlock(head);
}

const MAX_SHORT_NAME = 100;

async function download(context: CliContext, run: Run, { source, target }: Paths): Promise<number> {
	const { stderr } = context;
	const files = await context.localFiles();
	const session = await run(['tar', 'cf', '-', source], false);
	const prefix = cleanParts(source);
	const status: Uint8Array[] = [];
	const note = (channel: number, bytes: Uint8Array): void => {
		if (channel === CHANNELS.error) status.push(bytes);
		else stderr.print(new TextDecoder().decode(bytes));
	};
	const isFolder = (await files.stat(target))?.type === 'folder';
	try {
		for await (const entry of tarEntries(outputOf(session, note))) {
			const parts = safeParts(entry.name);
			const isOurs = parts !== undefined && prefix.every((part, index) => part === parts[index]);
			const rest = isOurs ? parts.slice(prefix.length) : [];
			const isFile = entry.type === '0' || entry.type === '\0';
			// kubectl fails if the destination of a file is a folder.
			const inside = isFile && rest.length === 0 && isFolder ? [prefix.at(-1) ?? ''] : rest;
			const path = [target, ...inside].join('/');
			if (!isOurs) stderr.print(`warning: file "${entry.name}" is outside target destination, skipping\n`);
			else if (entry.type === '5')
				await skippingOutside(context, path, () => files.createFolder(target, path));
			else if (isFile) await skippingOutside(context, path, () => files.write(target, path, entry));
			else stderr.print(`warning: skipping link or special file: "${entry.name}"\n`);
		}
	} finally {
		session.close();
	}
	const code = exitCodeOfSession({
		type: 'status',
		status: JSON.parse(Buffer.concat(status).toString() || '{"status":"Success"}'),
	});
	if (code !== 0) stderr.print(`command terminated with exit code ${code}\n`);
	return code;
}

/** The parts of the name of an entry; undefined if it leads up, which no archive of ours needs. */
function safeParts(name: string): readonly string[] | undefined {
	return name.split('/').includes('..') || name.includes('\0') ? undefined : cleanParts(name);
}

async function skippingOutside(
	{ stderr }: CliContext,
	path: string,
	act: () => Promise<void>,
): Promise<void> {
	try {
		await act();
	} catch (error) {
		if (!(error instanceof OutsideError)) throw error;
		stderr.print(`warning: file "${path}" is outside target destination, skipping\n`);
	}
}

/** The standard output of a command; `note` receives what arrives on the other channels. */
async function* outputOf(
	session: Duplex,
	note: (channel: number, bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
	for (let message = await session.receive(); message; message = await session.receive()) {
		if (message.type !== 'data') continue;
		if (message.channel === CHANNELS.stdout) yield message.bytes;
		else note(message.channel, message.bytes);
	}
}

/** The exit code of a command; `note` receives its standard error. Its standard output is dropped. */
async function resultOf(session: Duplex, note: (bytes: Uint8Array) => void): Promise<number> {
	let status = '';
	const noteAll = (channel: number, bytes: Uint8Array): void => {
		if (channel === CHANNELS.error) status += Buffer.from(bytes).toString();
		else note(bytes);
	};
	for await (const dropped of outputOf(session, noteAll)) void dropped;
	const close = await session.closed;
	if (status === '' && close.type === 'failed') throw new CommandError(close.message);
	return exitCodeOfSession({ type: 'status', status: JSON.parse(status || '{"status":"Success"}') });
}
