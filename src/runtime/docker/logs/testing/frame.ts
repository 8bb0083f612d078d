/** A frame of the engine's log, as it is sent for a container without a terminal: stream 1 is stdout, 2 is stderr. */
export function frame(stream: 1 | 2, text: string): Buffer {
	const head = Buffer.of(stream, 0, 0, 0, 0, 0, 0, 0);
	head.writeUInt32BE(Buffer.byteLength(text), 4);
	return Buffer.concat([head, Buffer.from(text)]);
}
