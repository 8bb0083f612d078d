import { compareText } from '../../base/compare-text.ts';
import { isList, isRecord, type JsonRecord } from '../../base/json/json.ts';
import { scalar } from './yaml-scalar.ts';

/**
 * Prints objects as YAML, equal to kubectl's output character by character: keys sorted, lists not indented.
 * The `yaml` package, which would be the obvious way, breaks lines and chooses quotes differently.
 */

/** A JSON value as YAML, with a final newline. */
export function toYaml(value: unknown): string {
	return `${isCollection(value) ? block(value, 0) : leaf(value, 2, 0)}\n`;
}

type Collection = readonly unknown[] | JsonRecord;

/** A non-empty map or list; its lines after the first are indented by `indent`. */
function block(value: Collection, indent: number): string {
	const margin = `\n${' '.repeat(indent)}`;
	if (isList(value)) return value.map((item) => `- ${inline(item, indent)}`).join(margin);
	return Object.keys(value)
		.filter((key) => value[key] !== undefined)
		.sort(compareText)
		.map((key) => entry(key, value[key], indent))
		.join(margin);
}

function entry(key: string, value: unknown, indent: number): string {
	const name = `${scalar(key, { indent, column: undefined })}:`;
	if (!isCollection(value)) return `${name} ${leaf(value, indent + 2, indent + name.length + 1)}`;
	const inner = isList(value) ? indent : indent + 2;
	return `${name}\n${' '.repeat(inner)}${block(value, inner)}`;
}

/** A list item, after its dash. */
function inline(item: unknown, indent: number): string {
	return isCollection(item) ? block(item, indent + 2) : leaf(item, indent + 2, indent + 2);
}

function leaf(value: unknown, indent: number, column: number): string {
	if (typeof value === 'string') return scalar(value, { indent, column });
	if (isList(value)) return '[]';
	return isRecord(value) ? '{}' : String(value);
}

function isCollection(value: unknown): value is Collection {
	return (isList(value) || isRecord(value)) && Object.keys(value).length > 0;
}
