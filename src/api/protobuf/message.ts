/**
 * Converts a protobuf message to the JSON of the same object. The schema has the type of each field, the
 * table (field-numbers.ts) its number.
 *
 * The folder decodes request bodies only: responses are always JSON. Reading order:
 * wire-reader.ts (the wire format), this file, wrapped-value.ts (types with a JSON form of their own),
 * envelope.ts. wire-writer.ts is for tests.
 *
 * 1. The result is raw JSON, which api/schema/decode.ts decodes like any other body. Decoding drops the zero
 *    values that upstream's encoder writes for every field that is not a pointer.
 * 2. As in every protobuf decoder, unknown fields are skipped, the last value of a field wins, and several
 *    messages of one field are merged.
 * 3. The depth of the result is that of the schema, whatever the bytes contain.
 */

import { base64OfBytes } from '../../base/base64.ts';
import { memoize } from '../../base/collections/memoize.ts';
import { isRecord, setOwn } from '../../base/json/json.ts';
import type { ObjectNode, SchemaNode, StringNode } from '../schema/schema.ts';
import { FIELD_NUMBERS } from './field-numbers.ts';
import { DELIMITED, VARINT, WireError, type WireReader } from './wire-reader.ts';
import {
	unwrapFieldsV1,
	unwrapIntOrString,
	unwrapMicroTime,
	unwrapQuantity,
	unwrapTime,
} from './wrapped-value.ts';

type Json = Record<string, unknown>;

/** Reads values of one type. */
interface ValueReader {
	readonly form: number;
	/** Reads a value. `before` is the field's value so far, into which messages and maps are merged. */
	read(reader: WireReader, before: unknown): unknown;
}

/** A field of a message: a field of the object, a list, or an embedded message whose fields JSON inlines. */
type Part =
	| { readonly type: 'field'; readonly name: string; readonly value: ValueReader }
	| { readonly type: 'list'; readonly name: string; readonly items: ValueReader }
	| { readonly type: 'inlined'; readonly message: Message };

/** The fields of a message, by number. */
type Message = ReadonlyMap<number, Part>;

/** Reads a message of the schema `node`, up to the end of the reader. Throws a {@link WireError}. */
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
		if (part.type === 'list') into[name] = readItems(reader, { items: part.items, form, before: into[name] });
		else {
			checkForm(form, part.value.form);
			into[name] = part.value.read(reader, into[name]);
		}
	} catch (error) {
		throw error instanceof WireError ? error.inField(name) : error;
	}
}

/**
 * Reads one item, or a packed list of numbers, which upstream's decoder accepts and its encoder does not
 * write.
 */
function readItems(
	reader: WireReader,
	{ items, form, before }: { readonly items: ValueReader; readonly form: number; readonly before: unknown },
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

/** `name` is the entry in the table, which for an inlined message differs from the schema's name. */
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
			return listReader(node.items);
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

/**
 * The schema is compiled at its first value, since most of the objects that a Pod can contain never occur.
 */
function objectReader(node: ObjectNode): ValueReader {
	return {
		form: DELIMITED,
		read: (reader, before) => {
			const into: Json = isRecord(before) ? before : {};
			reader.message(() => {
				if (reader.remaining > LONG_MESSAGE) reader.checkFieldCount();
				readMessage(reader, messageOf(node), into);
			});
			return into;
		},
	};
}

/** In bytes. A shorter message cannot have so many fields that counting them before they are decoded saves time. */
const LONG_MESSAGE = 100_000;

/** In protobuf a map is a list of entries, each a message of a key and a value. */
function mapReader(values: SchemaNode): ValueReader {
	const entry: Message = new Map([
		[1, { type: 'field', name: 'key', value: TEXT }],
		[2, { type: 'field', name: 'value', value: readerOf(values) }],
	]);
	return {
		form: DELIMITED,
		read: (reader, before) => {
			const into: Json = isRecord(before) ? before : {};
			// A missing value means the zero value of its type, to which null decodes.
			const { key = '', value = null } = readWhole(reader, entry);
			setOwn(into, String(key), value);
			return into;
		},
	};
}

/**
 * A list that is the value of a map, such as the extra properties of a user: in protobuf it is a message, whose
 * only field has the items.
 */
function listReader(items: SchemaNode): ValueReader {
	const message: Message = new Map([[1, { type: 'list', name: 'items', items: readerOf(items) }]]);
	return { form: DELIMITED, read: (reader) => readWhole(reader, message).items ?? [] };
}

const INT32: ValueReader = { form: VARINT, read: (reader) => reader.int32() };
const INT64: ValueReader = { form: VARINT, read: (reader) => reader.int64() };
const BOOLEAN: ValueReader = { form: VARINT, read: (reader) => reader.bool() };
const TEXT: ValueReader = { form: DELIMITED, read: (reader) => reader.text() };
const BASE64: ValueReader = { form: DELIMITED, read: (reader) => base64OfBytes(reader.bytes()) };

/** A value that is one string or number in JSON, and in protobuf a message with `parts` numbered from 1. */
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
