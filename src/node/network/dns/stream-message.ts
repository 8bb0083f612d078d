/** DNS messages in a byte stream: each comes after its length in two bytes (RFC 1035, 4.2.2). */

const LENGTH_BYTES = 2;

/** The message as it is in a stream. */
export function framed(message: Buffer): Buffer {
	const length = Buffer.alloc(LENGTH_BYTES);
	length.writeUInt16BE(message.length);
	return Buffer.concat([length, message]);
}

/** The first message of what a stream has brought, and what comes after it; undefined while it is not complete. */
export function firstMessage(
	received: Buffer,
): { readonly message: Buffer; readonly rest: Buffer } | undefined {
	if (received.length < LENGTH_BYTES) return undefined;
	const end = LENGTH_BYTES + received.readUInt16BE(0);
	if (received.length < end) return undefined;
	return { message: received.subarray(LENGTH_BYTES, end), rest: received.subarray(end) };
}
