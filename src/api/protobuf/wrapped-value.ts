/**
 * Converts the types that are messages in protobuf and a single string or number in JSON: from the fields of
 * the message to the JSON that Go's encoder writes. A missing field has the zero value of its type.
 */

import { approximate } from '../../base/json/json.ts';
import { parseJson } from '../../base/json/json-reader.ts';
import { formatTime } from '../meta/time.ts';
import { WireError } from './wire-reader.ts';

type Fields = Readonly<Record<string, unknown>>;

/** metav1.Time in whole seconds: upstream drops a fraction too. Null for Go's zero time. */
export function unwrapTime({ seconds, nanos }: Fields): string | null {
	if (seconds === undefined && nanos === undefined) return null;
	return timeText(numberOf(seconds), 0);
}

/** metav1.MicroTime: nanoseconds are cut to microseconds. Null for Go's zero time. */
export function unwrapMicroTime({ seconds, nanos }: Fields): string | null {
	if (seconds === undefined && nanos === undefined) return null;
	const micros = Math.trunc(numberOf(nanos) / 1000);
	const carried = Math.floor(micros / 1e6);
	return timeText(numberOf(seconds) + carried, micros - carried * 1e6, true);
}

/** resource.Quantity as text, which decoding validates. */
export function unwrapQuantity({ string = '0' }: Fields): unknown {
	return string;
}

/** intstr.IntOrString: its type says which of the other two fields is set. */
export function unwrapIntOrString({ type = 0, intVal = 0, strVal = '' }: Fields): unknown {
	if (type === 0) return intVal;
	if (type === 1) return strVal;
	throw new WireError('impossible IntOrString.Type');
}

/** metav1.FieldsV1, which contains JSON as bytes; null if it is empty. */
export function unwrapFieldsV1({ Raw }: Fields): unknown {
	if (typeof Raw !== 'string' || Raw === '') return null;
	try {
		return parseJson(Raw);
	} catch {
		throw new WireError('invalid JSON');
	}
}

/** The first second of year 1, Go's zero time, and the last second of 9999, the end of RFC 3339's range. */
const ZERO_TIME_SECONDS = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

function timeText(seconds: number, micros: number, fraction = false): string | null {
	if (seconds === ZERO_TIME_SECONDS && micros === 0) return null;
	if (seconds < ZERO_TIME_SECONDS || seconds > LAST_SECOND) throw new WireError('time out of range');
	const text = formatTime(seconds * 1000);
	return fraction ? `${text.slice(0, -1)}.${String(micros).padStart(6, '0')}Z` : text;
}

function numberOf(value: unknown): number {
	return typeof value === 'number' || typeof value === 'bigint' ? approximate(value) : 0;
}
