import { DELIMITED, WireError, WireReader } from './wire-reader.ts';

/**
 * The envelope of every object in Kubernetes' protobuf encoding: four magic bytes, then runtime.Unknown,
 * which names the kind and contains the object's message. (In JSON the kind is part of the object itself.)
 */
export interface Envelope {
	/** Empty if the client omitted it, as is `kind`. */
	readonly apiVersion: string;
	readonly kind: string;
	/** The object's message: a view of the input, not a copy. */
	readonly message: Uint8Array;
}

const MAGIC: readonly number[] = [0x6b, 0x38, 0x73, 0];

/** Parses the envelope. Throws a WireError. */
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
		// contentEncoding and contentType follow, which upstream ignores too.
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
