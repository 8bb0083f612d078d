import { isRawObject } from '../../client/raw-object.ts';
import { scalar } from './yaml-scalar.ts';

/**
 * Objects as YAML, character by character as kubectl prints them: keys sorted, lists not indented.
 * (The `yaml` package has neither kubectl's line breaks nor its choice of quotes.)
 */

/** The YAML of a JSON value, with a line end. */
export function toYaml(value: unknown): string {
	return `${isCollection(value) ? block(value, 0) : leaf(value, 2, 0)}\n`;
}

type Collection = readonly unknown[] | Readonly<Record<string, unknown>>;

/** A map or list that is not empty, each of its lines after the first indented by `indent`. */
function block(value: Collection, indent: number): string {
	const margin = `\n${' '.repeat(indent)}`;
	if (isList(value)) return value.map((item) => `- ${inline(item, indent)}`).join(margin);
	return Object.keys(value)
		.filter((key) => value[key] !== undefined)
		.sort(byCodePoints)
		.map((key) => entry(key, value[key], indent))
		.join(margin);
}

function entry(key: string, value: unknown, indent: number): string {
	const name = `${scalar(key, { indent, column: undefined })}:`;
	if (!isCollection(value)) return `${name} ${leaf(value, indent + 2, indent + name.length + 1)}`;
	const inner = isList(value) ? indent : indent + 2;
	return `${name}\n${' '.repeat(inner)}${block(value, inner)}`;
}

/** What follows the dash of a list item. */
function inline(item: unknown, indent: number): string {
	return isCollection(item) ? block(item, indent + 2) : leaf(item, indent + 2, indent + 2);
}

function leaf(value: unknown, indent: number, column: number): string {
	if (typeof value === 'string') return scalar(value, { indent, column });
	if (Array.isArray(value)) return '[]';
	return isRawObject(value) ? '{}' : String(value);
}

function isCollection(value: unknown): value is Collection {
	return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function isList(value: Collection): value is readonly unknown[] {
	return Array.isArray(value);
}

/** As Go sorts: by the bytes of UTF-8, which have the order of code points. */
function byCodePoints(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
