import { DELIMITED, WireError, WireReader } from './wire-reader.ts';

/**
 * What upstream puts around every object in protobuf: four bytes that say so, then runtime.Unknown,
 * which names the object's kind and holds its message. (JSON has the kind in the object itself.)
 */
export interface Envelope {
	/** Empty where the client did not say, as is `kind`. */
	readonly apiVersion: string;
	readonly kind: string;
	/** The message, shared with the input. */
	readonly message: Uint8Array;
}

const MAGIC: readonly number[] = [0x6b, 0x38, 0x73, 0];

/** Takes the envelope apart. Throws a WireError. */
export function openEnvelope(bytes: Uint8Array): Envelope {
	if (bytes.length === 0) throw new WireError('empty data');
	if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
		throw new WireError(
			`provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(' ')}]`,
		);
	}
	if (bytes.length === MAGIC.length) throw new WireError('empty body');
	const reader = new WireReader(bytes.subarray(MAGIC.length));
	let envelope: Envelope = { apiVersion: '', kind: '', message: new Uint8Array() };
	while (!reader.done) {
		const { number, form } = reader.tag();
		// Encoding and content type follow, which upstream does not look at either.
		if (number > 2) reader.skip(form);
		else if (form !== DELIMITED) throw new WireError(`proto: wrong wireType = ${form}`);
		else if (number === 2) envelope = { ...envelope, message: reader.bytes() };
		else envelope = { ...envelope, ...readTypeMeta(new WireReader(reader.bytes())) };
	}
	return envelope;
}

function readTypeMeta(reader: WireReader): Partial<Envelope> {
	let typeMeta: Partial<Envelope> = {};
	while (!reader.done) {
		const { number, form } = reader.tag();
		if (number > 2) reader.skip(form);
		else if (form !== DELIMITED) throw new WireError(`proto: wrong wireType = ${form}`);
		else typeMeta = { ...typeMeta, [number === 1 ? 'apiVersion' : 'kind']: reader.text() };
	}
	return typeMeta;
}
