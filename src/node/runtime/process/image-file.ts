import { parseDocument } from 'yaml';
import { isRecord } from '../../../base/json.ts';
import type { ImageEntry, WrongEntry } from './image-entry.ts';

/**
 * Reads an `images.yaml`; see image-table.ts for its form. An entry that is wrong concerns no other image.
 * Throws an Error that says what is wrong where the file as a whole cannot be read.
 */
export function parseImageFile(text: string): readonly (ImageEntry | WrongEntry)[] {
	const document = parseDocument(text);
	const [error] = document.errors;
	if (error) throw new Error(error.message);
	const images = field(document.toJS(), 'the file', 'images');
	if (images === undefined || images === null) return [];
	if (!isRecord(images)) throw new Error('images: must be a map from image names to programs');
	return Object.entries(images).map(([image, value]) => {
		try {
			return entryOf(image, value);
		} catch (error) {
			return { image, problem: error instanceof Error ? error.message : String(error) };
		}
	});
}

function entryOf(image: string, value: unknown): ImageEntry {
	const at = `images["${image}"]`;
	const given = Array.isArray(value) ? { command: value } : value;
	const known = ['command', 'args', 'entrypoints', 'env', 'workingDir'];
	for (const name of Object.keys(isRecord(given) ? given : {})) {
		if (!known.includes(name))
			throw new Error(`${at}: unknown field "${name}", known are ${known.join(', ')}`);
	}
	const command = texts(field(given, at, 'command'), `${at}.command`);
	if (command.length === 0) throw new Error(`${at}.command: must name the program to run`);
	return {
		image,
		command,
		args: texts(field(given, at, 'args'), `${at}.args`),
		entrypoints: texts(field(given, at, 'entrypoints'), `${at}.entrypoints`),
		env: textMap(field(given, at, 'env'), `${at}.env`),
		workingDir: text(field(given, at, 'workingDir') ?? '', `${at}.workingDir`),
	};
}

function field(value: unknown, at: string, name: string): unknown {
	if (value === null || value === undefined) return undefined;
	if (!isRecord(value)) throw new Error(`${at}: must be a map`);
	return value[name];
}

function texts(value: unknown, at: string): readonly string[] {
	if (value === null || value === undefined) return [];
	if (!Array.isArray(value)) throw new Error(`${at}: must be a list of texts`);
	return value.map((item, index) => text(item, `${at}[${index}]`));
}

function textMap(value: unknown, at: string): Readonly<Record<string, string>> {
	if (value === null || value === undefined) return {};
	if (!isRecord(value)) throw new Error(`${at}: must be a map of texts`);
	return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, text(item, `${at}.${name}`)]));
}

function text(value: unknown, at: string): string {
	if (typeof value === 'string') return value;
	if (typeof value === 'number' || typeof value === 'boolean') return String(value);
	throw new Error(`${at}: must be a text`);
}
