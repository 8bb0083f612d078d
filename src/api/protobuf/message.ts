import { memoize } from '../../base/memoize.ts';
import type { ObjectNode, SchemaNode, StringNode } from '../meta/schema.ts';
import { FIELD_NUMBERS } from './field-numbers.ts';
import { DELIMITED, VARINT, WireError, type WireReader } from './wire-reader.ts';
import {
	unwrapFieldsV1,
	unwrapIntOrString,
	unwrapMicroTime,
	unwrapQuantity,
	unwrapTime,
} from './wrapped-value.ts';

/**
 * Reads a protobuf message into the JSON that the same object would have come as. A field's type is its
 * schema's, its number that of the table.
 *
 * 1. What comes out is raw JSON, for api/meta/decode.ts to decode as any other body: there the zero
 *    values go that upstream writes for every field that is no pointer, as they do from JSON.
 * 2. As in every protobuf decoder, unknown numbers are skipped, the last value of a field counts, and
 *    messages of one field that come apart are merged.
 * 3. Nesting is as deep as the schema, whatever the bytes say.
 */

type Json = Record<string, unknown>;

/** Reads the values of one type. */
interface ValueReader {
	readonly form: number;
	/** `before`: what the field has so far. */
	read(reader: WireReader, before: unknown): unknown;
}

/** A field of a message: one of the object, or a message whose fields JSON has in the object itself. */
type Part =
	| { readonly type: 'field'; readonly name: string; readonly value: ValueReader }
	| { readonly type: 'list'; readonly name: string; readonly items: ValueReader }
	| { readonly type: 'inlined'; readonly message: Message };

/** The fields of a message by number. */
type Message = ReadonlyMap<number, Part>;

/** The message of an object's schema, from here to the reader's end. Throws a {@link WireError}. */
export function readObject(reader: WireReader, node: ObjectNode): Json {
	const into: Json = {};
	readMessage(reader, messageOf(node), into);
	return into;
}

function readMessage(reader: WireReader, message: Message, into: Json): void {
	while (!reader.done) {
		const { number, form } = reader.tag();
		const part = message.get(number);
		if (part) readPart(reader, { part, form, into });
		else reader.skip(form);
	}
}

function readPart(
	reader: WireReader,
	{ part, form, into }: { readonly part: Part; readonly form: number; readonly into: Json },
): void {
	if (part.type === 'inlined') {
		checkForm(form, DELIMITED);
		reader.message(() => readMessage(reader, part.message, into));
		return;
	}
	const { name } = part;
	try {
		if (part.type === 'list') into[name] = readItems(reader, form, part.items, into[name]);
		else {
			checkForm(form, part.value.form);
			into[name] = part.value.read(reader, into[name]);
		}
	} catch (error) {
		throw error instanceof WireError ? error.inField(name) : error;
	}
}

/** One item, or a packed row of numbers, which upstream takes and does not write. */
function readItems(
	reader: WireReader,
	form: number,
	items: ValueReader,
	before: unknown,
): readonly unknown[] {
	const list: unknown[] = Array.isArray(before) ? before : [];
	if (form === DELIMITED && items.form === VARINT) {
		reader.message(() => {
			while (!reader.done) list.push(items.read(reader, undefined));
		});
		return list;
	}
	checkForm(form, items.form);
	list.push(items.read(reader, undefined));
	return list;
}

function checkForm(form: number, expected: number): void {
	if (form !== expected) throw new WireError(`proto: wrong wireType = ${form}`);
}

const messageOf = memoize((node: ObjectNode): Message => compileMessage(node, node.name));

/** `name`: the entry of the table, which for an inlined message is not that of the schema. */
function compileMessage(node: ObjectNode, name: string): Message {
	const message = new Map<number, Part>();
	for (const entry of (FIELD_NUMBERS[name] ?? '').split(' ')) {
		const [field = '', number = ''] = entry.split('=');
		const schema = node.fields[field]?.schema;
		if (field.startsWith('...')) {
			message.set(Number(number), { type: 'inlined', message: compileMessage(node, field.slice(3)) });
		} else if (schema?.type === 'list') {
			message.set(Number(number), { type: 'list', name: field, items: readerOf(schema.items) });
		} else if (schema) {
			message.set(Number(number), { type: 'field', name: field, value: readerOf(schema) });
		}
	}
	return message;
}

function readerOf(node: SchemaNode): ValueReader {
	switch (node.type) {
		case 'string':
			return stringReader(node);
		case 'integer':
			return node.format === 'int32' ? INT32 : INT64;
		case 'boolean':
			return BOOLEAN;
		case 'int-or-string':
			return INT_OR_STRING;
		case 'raw':
			return FIELDS_V1;
		case 'map':
			return mapReader(node.values);
		case 'object':
			return objectReader(node);
		case 'list':
			throw new Error('no message has a list of lists');
	}
}

function stringReader({ format }: StringNode): ValueReader {
	switch (format) {
		case undefined:
			return TEXT;
		case 'byte':
			return BASE64;
		case 'quantity':
			return QUANTITY;
		case 'time':
			return TIME;
		case 'micro-time':
			return MICRO_TIME;
	}
}

/** The schema is compiled at the first value: most objects in a Pod never occur. */
function objectReader(node: ObjectNode): ValueReader {
	return {
		form: DELIMITED,
		read: (reader, before) => {
			const into = isRecord(before) ? before : {};
			reader.message(() => readMessage(reader, messageOf(node), into));
			return into;
		},
	};
}

/** A map is a list of entries, each a message of a key and a value. */
function mapReader(values: SchemaNode): ValueReader {
	const entry: Message = new Map([
		[1, { type: 'field', name: 'key', value: TEXT }],
		[2, { type: 'field', name: 'value', value: readerOf(values) }],
	]);
	return {
		form: DELIMITED,
		read: (reader, before) => {
			const into = isRecord(before) ? before : {};
			// A value that is missing is the zero of its type, which null decodes to.
			const { key = '', value = null } = readWhole(reader, entry);
			// Not by assignment: a key may be __proto__.
			Object.defineProperty(into, String(key), {
				value,
				enumerable: true,
				configurable: true,
				writable: true,
			});
			return into;
		},
	};
}

const INT32: ValueReader = { form: VARINT, read: (reader) => reader.int32() };
const INT64: ValueReader = { form: VARINT, read: (reader) => reader.int64() };
const BOOLEAN: ValueReader = { form: VARINT, read: (reader) => reader.bool() };
const TEXT: ValueReader = { form: DELIMITED, read: (reader) => reader.text() };
const BASE64: ValueReader = { form: DELIMITED, read: (reader) => reader.bytes().toBase64() };

/** A value that JSON has as one text or number, and protobuf as a message with `parts` numbered from 1. */
function unwrapping(
	parts: Readonly<Record<string, ValueReader>>,
	unwrap: (value: Json) => unknown,
): ValueReader {
	const fields = Object.entries(parts);
	const message: Message = new Map(
		fields.map(([name, value], index) => [index + 1, { type: 'field', name, value }]),
	);
	return { form: DELIMITED, read: (reader) => unwrap(readWhole(reader, message)) };
}

function readWhole(reader: WireReader, message: Message): Json {
	const into: Json = {};
	reader.message(() => readMessage(reader, message, into));
	return into;
}

const INSTANT = { seconds: INT64, nanos: INT32 };
const TIME = unwrapping(INSTANT, unwrapTime);
const MICRO_TIME = unwrapping(INSTANT, unwrapMicroTime);
const QUANTITY = unwrapping({ string: TEXT }, unwrapQuantity);
const INT_OR_STRING = unwrapping({ type: INT64, intVal: INT32, strVal: TEXT }, unwrapIntOrString);
const FIELDS_V1 = unwrapping({ Raw: TEXT }, unwrapFieldsV1);

function isRecord(value: unknown): value is Json {
	return typeof value === 'object' && value !== null;
}
