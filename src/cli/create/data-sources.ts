import { isUtf8 } from 'node:buffer';
import { configMapKey, formText } from '../../api/meta/names.ts';
import { systemReason } from '../../base/files/folders.ts';
import { quote } from '../../base/quote.ts';
import { type CliContext, CommandError } from '../context.ts';

/** The flags that give a ConfigMap or Secret its data. */
export interface DataFlags {
	readonly fromFile: readonly string[];
	readonly fromLiteral: readonly string[];
	readonly fromEnvFile: readonly string[];
}

/** What the messages about data call the object. */
export interface DataOwner {
	readonly kind: 'ConfigMap' | 'Secret';
	readonly name: string;
}

/** The values by key, in the order in which kubectl reads them. Throws a CommandError with kubectl's text. */
export async function readData(
	context: CliContext,
	{ fromFile, fromLiteral, fromEnvFile }: DataFlags,
	owner: DataOwner,
): Promise<ReadonlyMap<string, Uint8Array>> {
	if (fromEnvFile.length > 0 && (fromFile.length > 0 || fromLiteral.length > 0))
		throw new CommandError('from-env-file cannot be combined with from-file or from-literal');
	const data = new Map<string, Uint8Array>();
	const add = (key: string, value: Uint8Array): void => {
		checkKey(key, data, owner);
		data.set(key, value);
	};
	for (const source of fromLiteral) add(...literal(source));
	for (const source of fromFile) await addFiles(context, source, add);
	for (const path of fromEnvFile) await addEnvFile(context, { path, owner }, add);
	return data;
}

type Add = (key: string, value: Uint8Array) => void;

function checkKey(key: string, data: ReadonlyMap<string, Uint8Array>, { kind, name }: DataOwner): void {
	const errors = configMapKey(key);
	const isTaken = data.has(key);
	if (kind === 'Secret') {
		if (errors.length > 0)
			throw new CommandError(`${quote(key)} is not valid key name for a Secret ${errors.join(';')}`);
		if (isTaken) throw new CommandError(`cannot add key ${key}, another key by that name already exists`);
		return;
	}
	if (errors.length > 0)
		throw new CommandError(`${quote(key)} is not a valid key name for a ConfigMap: ${errors.join(',')}`);
	if (!isTaken) return;
	const field = isUtf8(data.get(key) ?? new Uint8Array()) ? 'Data' : 'BinaryData';
	throw new CommandError(
		`cannot add key ${quote(key)}, another key by that name already exists in ${field} for ConfigMap ${quote(name)}`,
	);
}

/** `key=value`; the value may be empty and may contain equals signs. */
function literal(source: string): [string, Uint8Array] {
	const split = source.indexOf('=');
	if (split <= 0) throw new CommandError(`invalid literal source ${source}, expected key=value`);
	return [source.slice(0, split), new TextEncoder().encode(source.slice(split + 1))];
}

/** `path` or `key=path`; a folder gives each of its regular files. */
async function addFiles(context: CliContext, source: string, add: Add): Promise<void> {
	const { key, path } = fileSource(source);
	const files = await context.localFiles();
	const found = await statOf(context, path);
	if (found !== 'folder') return add(key, await readBytes(context, path));
	if (source.includes('=')) throw new CommandError('cannot give a key name for a directory path');
	const names = await files.regularFiles(path).catch((error: unknown) => {
		throw new CommandError(`error listing files in ${path}: open ${path}: ${systemReason(error)}`);
	});
	for (const name of names) add(name, await readBytes(context, `${path.replace(/\/+$/, '')}/${name}`));
}

function fileSource(source: string): { readonly key: string; readonly path: string } {
	const [first = '', second, ...more] = source.split('=');
	if (second === undefined) return { key: baseName(source), path: source };
	if (more.length > 0) throw new CommandError("key names or file paths cannot contain '='");
	if (first === '') throw new CommandError(`key name for file path ${second} missing`);
	if (second === '') throw new CommandError(`file path for key name ${first} missing`);
	return { key: first, path: second };
}

/** The last part of a path, as Go's path.Base. */
function baseName(path: string): string {
	if (path === '') return '.';
	const trimmed = path.replace(/\/+$/, '');
	return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

async function statOf(context: CliContext, path: string): Promise<'file' | 'folder' | 'other'> {
	const files = await context.localFiles();
	const found = await files.stat(path).catch((error: unknown) => {
		throw new CommandError(`error reading ${path}: ${systemReason(error)}`);
	});
	if (!found) throw new CommandError(`error reading ${path}: no such file or directory`);
	return found.type;
}

/** Far above what the server takes; a device such as /dev/zero has no end. */
const MOST_BYTES = 64 << 20;

/** The content of a file. Throws a CommandError with Go's text. */
export async function readBytes(context: CliContext, path: string): Promise<Uint8Array> {
	const pieces: Uint8Array[] = [];
	let length = 0;
	try {
		for await (const piece of (await context.localFiles()).read(path)) {
			pieces.push(piece);
			length += piece.length;
			if (length > MOST_BYTES) break;
		}
	} catch (error) {
		throw new CommandError(`open ${path}: ${systemReason(error)}`);
	}
	if (length > MOST_BYTES) throw new CommandError(`${path} exceeds the limit of 64 MiB`);
	return Buffer.concat(pieces);
}

async function addEnvFile(
	context: CliContext,
	{ path, owner }: { readonly path: string; readonly owner: DataOwner },
	add: Add,
): Promise<void> {
	const what = owner.kind === 'Secret' ? 'secret' : 'config';
	if ((await statOf(context, path)) === 'folder')
		throw new CommandError(`env ${what} file cannot be a directory`);
	const bytes = await readBytes(context, path);
	for (const [index, line] of linesIn(bytes).entries()) {
		if (!isUtf8(line))
			throw new CommandError(
				`env file ${path} contains invalid utf8 bytes at line ${index + 1}: [${[...line].join(' ')}]`,
			);
		const text = new TextDecoder('utf-8', { ignoreBOM: index > 0 }).decode(line).trimStart();
		if (text === '' || text.startsWith('#')) continue;
		const split = text.indexOf('=');
		const key = split < 0 ? text : text.slice(0, split);
		const errors = strictVariableName(key);
		if (errors.length > 0)
			throw new CommandError(`${quote(key)} is not a valid key name: ${errors.join(';')}`);
		const value = split < 0 ? (context.variable(key) ?? '') : text.slice(split + 1);
		add(key, new TextEncoder().encode(value));
	}
}

/** The lines, without their ends. */
function linesIn(bytes: Uint8Array): readonly Uint8Array[] {
	const lines: Uint8Array[] = [];
	for (let start = 0; start < bytes.length; ) {
		const found = bytes.indexOf(0x0a, start);
		const end = found < 0 ? bytes.length : found;
		lines.push(bytes.subarray(start, bytes[end - 1] === 0x0d && end > start ? end - 1 : end));
		start = end + 1;
	}
	return lines;
}

const VARIABLE = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const VARIABLE_TEXT =
	"a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";

/** Upstream's IsEnvVarName, which is stricter than what a container may have. */
function strictVariableName(name: string): readonly string[] {
	const errors: string[] = [];
	if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name))
		errors.push(formText(VARIABLE_TEXT, VARIABLE, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1'));
	if (name === '.') errors.push("must not be '.'");
	else if (name === '..') errors.push("must not be '..'");
	else if (name.startsWith('..')) errors.push("must not start with '..'");
	return errors;
}
