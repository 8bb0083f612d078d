/**
 * A small language for protobuf's messages as data: a message is a record of fields, each with its number and kind, and
 * the types of its values follow from it. cri-messages.ts has the messages.
 *
 * 1. What is not given is not written. A value that equals the default of its kind is not written either.
 * 2. A message that was read has all its fields: a missing one has the default of its kind, a missing message is undefined.
 * 3. Fields that the table does not have are skipped.
 */
import { WireReader } from '../../../api/protobuf/wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** A field of a message: what may be given for it, and what is read from it. */
export interface WireField<Given, Read> {
	readonly number: number;
	readonly missing: Read;
	write(writer: WireWriter, value: Given): void;
	/** Reads one occurrence; `before` is the value of the earlier ones. */
	read(reader: WireReader, before: Read): Read;
}

/** The fields of a message by name. */
export type WireFields = Readonly<Record<string, WireField<never, unknown>>>;

/** What is given to write a message. */
export type Given<F extends WireFields> = {
	readonly [Name in keyof F]?: (F[Name] extends WireField<infer Value, infer _> ? Value : never) | undefined;
};

/** A message that was read. */
export type Read<F extends WireFields> = {
	readonly [Name in keyof F]: F[Name] extends WireField<never, infer Value> ? Value : never;
};

/** The bytes of a message. */
export function encodeMessage<F extends WireFields>(fields: F, given: Given<F>): Buffer {
	const writer = new WireWriter();
	for (const [name, field] of Object.entries(fields)) {
		const value = given[name];
		if (value !== undefined) field.write(writer, value as never);
	}
	return writer.bytes();
}

/** The message of these bytes. Throws WireError if they are none. */
export function decodeMessage<F extends WireFields>(fields: F, bytes: Uint8Array): Read<F> {
	const reader = new WireReader(bytes);
	return readFields(fields, reader);
}

function readFields<F extends WireFields>(fields: F, reader: WireReader): Read<F> {
	const values: Record<string, unknown> = {};
	const names = new Map<number, string>();
	for (const [name, { number, missing }] of Object.entries(fields)) {
		values[name] = missing;
		names.set(number, name);
	}
	while (!reader.done) {
		const { number, form } = reader.tag();
		const name = names.get(number);
		const field = name === undefined ? undefined : fields[name];
		if (name === undefined || !field) reader.skip(form);
		else values[name] = field.read(reader, values[name]);
	}
	return values as Read<F>;
}

/** A text. */
export function text(number: number): WireField<string, string> {
	return {
		number,
		missing: '',
		write: (writer, value) => {
			if (value !== '') writer.delimited(number, Buffer.from(value));
		},
		read: (reader) => reader.text(),
	};
}

/** An integer or the number of an enumeration. One of more than 53 bits is read inexactly: nanoseconds are rounded. */
export function integer(number: number): WireField<number, number> {
	return {
		number,
		missing: 0,
		write: (writer, value) => {
			if (value !== 0) writer.integer(number, value);
		},
		read: (reader) => Number(reader.int64()),
	};
}

/** A truth value. */
export function flag(number: number): WireField<boolean, boolean> {
	return {
		number,
		missing: false,
		write: (writer, value) => {
			if (value) writer.integer(number, 1);
		},
		read: (reader) => reader.bool(),
	};
}

/** A message. An empty one is written, since its presence has a meaning. */
export function message<F extends WireFields>(
	number: number,
	fields: F,
): WireField<Given<F>, Read<F> | undefined> {
	return {
		number,
		missing: undefined,
		write: (writer, value) => writer.delimited(number, encodeMessage(fields, value)),
		read: (reader) => decodeMessage(fields, reader.bytes()),
	};
}

/** A list of texts. */
export function texts(number: number): WireField<readonly string[], readonly string[]> {
	return {
		number,
		missing: [],
		write: (writer, value) => {
			for (const each of value) writer.delimited(number, Buffer.from(each));
		},
		read: (reader, before) => [...before, reader.text()],
	};
}

/** A list of integers, in the packed form, which proto3 writes. */
export function integers(number: number): WireField<readonly number[], readonly number[]> {
	return {
		number,
		missing: [],
		write: (writer, value) => {
			if (value.length > 0) writer.packed(number, value);
		},
		read: (reader, before) => {
			const packed = new WireReader(reader.bytes());
			const values = [...before];
			while (!packed.done) values.push(Number(packed.int64()));
			return values;
		},
	};
}

/** A list of messages. */
export function messages<F extends WireFields>(
	number: number,
	fields: F,
): WireField<readonly Given<F>[], readonly Read<F>[]> {
	return {
		number,
		missing: [],
		write: (writer, value) => {
			for (const each of value) writer.delimited(number, encodeMessage(fields, each));
		},
		read: (reader, before) => [...before, decodeMessage(fields, reader.bytes())],
	};
}

const ENTRY = { key: text(1), value: text(2) };

/** A map of texts. */
export function textMap(
	number: number,
): WireField<Readonly<Record<string, string>>, Readonly<Record<string, string>>> {
	return {
		number,
		missing: {},
		write: (writer, value) => {
			for (const [key, each] of Object.entries(value))
				writer.delimited(number, encodeMessage(ENTRY, { key, value: each }));
		},
		read: (reader, before) => {
			const { key, value } = decodeMessage(ENTRY, reader.bytes());
			return { ...before, [key]: value };
		},
	};
}
