/** The decoders of strings and numbers; see decode.ts. */

import { type Int64, numberText } from '../../base/json/json.ts';
import { microTimeErrorText, timeErrorText } from '../errors/time-error.ts';
import { canonicalQuantity, QuantityError } from '../meta/quantity.ts';
import { canonicalMicroTime, canonicalTime } from '../meta/time.ts';
import {
	type Decoder,
	fail,
	jsonKind,
	mismatch,
	mismatchText,
	type Trail,
	typeName,
} from './decode-trail.ts';
import type { SchemaNode, StringNode } from './schema.ts';

/** The decoder of a string: times, quantities and base64 get their canonical spelling. */
export function compileString(node: StringNode): Decoder {
	const { format } = node;
	if (format === undefined) {
		return (value, trail) => (typeof value === 'string' ? value : mismatch(value, node, trail));
	}
	if (format === 'quantity') return decodeQuantity;
	return (value, trail) => {
		if (typeof value !== 'string') return mismatch(value, node, trail);
		switch (format) {
			case 'time':
				return canonicalTime(value) ?? fail(timeErrorText(value), trail);
			case 'micro-time':
				return canonicalMicroTime(value) ?? fail(microTimeErrorText(value), trail);
			case 'byte':
				return decodeBase64(value, trail);
		}
	};
}

/** The decoder of an integer that fits into the node's format. */
export function compileInteger(node: Extract<SchemaNode, { readonly type: 'integer' }>): Decoder {
	const isInRange = node.format === 'int32' ? isInt32 : isInt64;
	return (value, trail) => {
		if (typeof value === 'number' ? isInRange(value) : typeof value === 'bigint' && isInRange(value)) {
			return value;
		}
		const text = numberText(value);
		if (text === undefined) return mismatch(value, node, trail);
		return fail(mismatchText(`number ${text}`, typeName(node), trail), trail);
	};
}

function isInt32(value: Int64): boolean {
	return typeof value === 'number' && (value | 0) === value;
}

/**
 * The JSON reader returns integers beyond 2^53 as bigint (base/json/json.ts), so a `number` beyond that was not
 * written as an integer.
 */
function isInt64(value: Int64): boolean {
	return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}

/** Decodes an integer of 32 bits or a string. */
export function decodeIntOrString(value: unknown, trail: Trail): unknown {
	if (typeof value === 'string' || (typeof value === 'number' && isInt32(value))) return value;
	const text = numberText(value);
	const kind = text === undefined ? jsonKind(value) : `number ${text}`;
	return fail(mismatchText(kind, 'int32', trail), trail);
}

/** Accepts a bare number as well: `cpu: 1`. */
function decodeQuantity(value: unknown, trail: Trail): unknown {
	try {
		return canonicalQuantity(typeof value === 'string' ? value.trim() : JSON.stringify(value));
	} catch (error) {
		if (error instanceof QuantityError) return fail(error.message, trail);
		throw error;
	}
}

function decodeBase64(text: string, trail: Trail): string | undefined {
	const compact = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
	if (/^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(compact) && !compact.includes('_')) {
		return compact.endsWith('=') ? withoutSpareBits(compact) : compact;
	}
	const wrong = compact.search(/[^A-Za-z0-9+/]/);
	return fail(`illegal base64 data at input byte ${wrong < 0 ? compact.length : wrong}`, trail);
}

const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * Clears the bits of the last character that belong to no byte: Go ignores them, and encodes the bytes without
 * them.
 */
function withoutSpareBits(padded: string): string {
	const padding = padded.endsWith('==') ? 2 : 1;
	const last = padded.length - padding - 1;
	const used = padding === 2 ? 0b110000 : 0b111100;
	const char = BASE64_ALPHABET[BASE64_ALPHABET.indexOf(padded[last] ?? '') & used] ?? '';
	return padded.slice(0, last) + char + '='.repeat(padding);
}
