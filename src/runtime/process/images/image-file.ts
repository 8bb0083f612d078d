import { isYamlDocument, readYamlDocuments } from '../../../base/yaml/documents.ts';
import type { MapNode, YamlNode } from '../../../base/yaml/nodes.ts';
import { syntaxProblem } from '../../../base/yaml/syntax-problem.ts';
import type { ImageEntry, WrongEntry } from './image-entry.ts';

/** The path and content of an `images.yaml`. */
export interface ImageFile {
	readonly path: string;
	readonly text: string;
}

/** Limits of the YAML reader, far above any real image table: a hostile file cannot fill the memory. */
const LIMITS = { values: 100_000, depth: 100 };

/**
 * Parses an `images.yaml`; see image-table.ts for its format. An invalid entry is returned as a {@link WrongEntry} and
 * does not affect the others. Throws an Error if the file as a whole is invalid. Messages name the file, the line, the
 * column and the field:
 * `/data/images.yaml:2:6: images["a"].command: must name the program to run`.
 */
export function parseImageFile(file: ImageFile): readonly (ImageEntry | WrongEntry)[] {
	return located(file, () => {
		const images = imagesOf(file.text);
		return images === undefined ? [] : entriesOf(images).map((entry) => readEntry(file, entry));
	});
}

/** A problem at an offset of the file. */
class FileProblem extends Error {
	override readonly name = 'FileProblem';
	readonly offset: number;

	constructor(offset: number, message: string) {
		super(message);
		this.offset = offset;
	}
}

/** Returns the result of `read`; prefixes the message of a FileProblem with path, line and column. */
function located<T>({ path, text }: ImageFile, read: () => T): T {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof FileProblem)) throw error;
		const before = text.slice(0, error.offset).split('\n');
		throw new Error(`${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: ${error.message}`);
	}
}

function readEntry(file: ImageFile, entry: Entry): ImageEntry | WrongEntry {
	try {
		return located(file, () => entryOf(entry));
	} catch (error) {
		return { image: entry.name, problem: error instanceof Error ? error.message : String(error) };
	}
}

/** The map under `images`; undefined if the file is empty or has no such field. */
function imagesOf(text: string): MapNode | undefined {
	const [document, second] = readYamlDocuments(text, LIMITS);
	if (document === undefined) return undefined;
	if (!isYamlDocument(document)) {
		const { message, offset, hint } = syntaxProblem(document, text);
		throw new FileProblem(offset, hint === undefined ? message : `${message} (${hint})`);
	}
	const [twice] = document.repeated;
	if (twice) throw new FileProblem(twice.key.start.offset, 'duplicate key');
	if (second) {
		const { offset } = isYamlDocument(second) ? second.root.start : second;
		throw new FileProblem(offset, 'the file must contain a single YAML document');
	}
	const root = document.root;
	if (isNull(root)) return undefined;
	const top = mapAt(root, 'the file', 'a map with the field "images"');
	refuseUnknown(top, '', ['images']);
	const images = fieldOf(top, 'images');
	return images && mapAt(images, 'images', 'a map from image names to programs');
}

/** A field of a map, with its value. */
interface Entry {
	readonly name: string;
	readonly key: YamlNode;
	readonly value: YamlNode;
}

function entryOf({ name: image, key, value }: Entry): ImageEntry {
	const at = `images["${image}"]`;
	const node = value.kind === 'alias' ? value.target : value;
	if (node.kind === 'list') return { ...NOTHING, image, command: commandOf(node, { key, at }) };
	if (isNull(node)) return { ...NOTHING, image, command: commandOf(undefined, { key, at }) };
	const map = mapAt(value, at, 'a list (the command) or a map');
	refuseUnknown(map, `${at}: `, ['command', 'args', 'entrypoints', 'env', 'workingDir']);
	const workingDir = fieldOf(map, 'workingDir');
	return {
		image,
		command: commandOf(fieldOf(map, 'command'), { key, at }),
		args: texts(fieldOf(map, 'args'), `${at}.args`),
		entrypoints: texts(fieldOf(map, 'entrypoints'), `${at}.entrypoints`),
		env: textMap(fieldOf(map, 'env'), `${at}.env`),
		workingDir: workingDir ? text(workingDir, `${at}.workingDir`) : '',
	};
}

const NOTHING = { args: [], entrypoints: [], env: {}, workingDir: '' };

function commandOf(
	node: YamlNode | undefined,
	{ key, at }: { readonly key: YamlNode; readonly at: string },
): readonly string[] {
	const command = texts(node, `${at}.command`);
	if (command.length > 0 && command[0] !== '') return command;
	throw new FileProblem((node ?? key).start.offset, `${at}.command: must name the program to run`);
}

function refuseUnknown(map: MapNode, prefix: string, known: readonly string[]): void {
	for (const { name, key } of entriesOf(map)) {
		if (known.includes(name)) continue;
		const names = known.join(', ');
		throw new FileProblem(key.start.offset, `${prefix}unknown field "${name}", expected one of: ${names}`);
	}
}

function entriesOf({ parts }: MapNode): readonly Entry[] {
	const entries: Entry[] = [];
	for (let index = 0; index + 1 < parts.length; index += 2) {
		const [key, value] = parts.slice(index, index + 2);
		if (key && value) entries.push({ name: text(key, 'a key'), key, value });
	}
	return entries;
}

/** The field's value; undefined if it is missing or null. */
function fieldOf(map: MapNode, name: string): YamlNode | undefined {
	const value = entriesOf(map).find((entry) => entry.name === name)?.value;
	return value && !isNull(value) ? value : undefined;
}

function mapAt(node: YamlNode, at: string, what: string): MapNode {
	const found = node.kind === 'alias' ? node.target : node;
	if (found.kind === 'map') return found;
	throw new FileProblem(node.start.offset, `${at}: must be ${what}`);
}

function texts(node: YamlNode | undefined, at: string): readonly string[] {
	if (!node) return [];
	const found = node.kind === 'alias' ? node.target : node;
	if (found.kind !== 'list') throw new FileProblem(node.start.offset, `${at}: must be a list of strings`);
	return found.items.map((item, index) => text(item, `${at}[${index}]`));
}

function textMap(node: YamlNode | undefined, at: string): Readonly<Record<string, string>> {
	if (!node) return {};
	const map = mapAt(node, at, 'a map of strings');
	return Object.fromEntries(entriesOf(map).map(({ name, value }) => [name, text(value, `${at}.${name}`)]));
}

/** The characters of a scalar: `3` and `1.10` are strings here, since they become arguments of a program. */
function text(node: YamlNode, at: string): string {
	const found = node.kind === 'alias' ? node.target : node;
	if (found.kind === 'scalar' && !isNull(found)) return found.value;
	throw new FileProblem(node.start.offset, `${at}: must be a string`);
}

function isNull(node: YamlNode): boolean {
	return node.kind === 'scalar' && node.isPlain && /^(?:~|null|Null|NULL|)$/.test(node.value);
}
