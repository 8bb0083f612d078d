/** The name of a question as bytes: its text cannot tell a dot in a label from one between two, nor bytes beyond ASCII. */

/** Where the name of the first question of a message is. */
export interface RawName {
	/** The byte after it. */
	readonly end: number;
	/** Whether its labels have only printable ASCII characters other than the dot, as all names of a cluster. */
	readonly isPlain: boolean;
}

const HEAD_BYTES = 12;
const TYPE_AND_CLASS_BYTES = 4;
const LONGEST_LABEL = 63;
const DOT = 0x2e;

/** Finds the name of the first question; undefined if it is cut off or refers to another place of the message. */
export function rawNameOf(message: Buffer): RawName | undefined {
	let isPlain = true;
	let at = HEAD_BYTES;
	for (let length = message[at]; length !== 0; length = message[at]) {
		if (length === undefined || length > LONGEST_LABEL) return undefined;
		const label = message.subarray(at + 1, at + 1 + length);
		isPlain &&= label.every((byte) => byte > 0x20 && byte < 0x7f && byte !== DOT);
		at += 1 + length;
	}
	return { end: at + 1, isPlain };
}

/** Flags of the head: an authoritative response. */
const RESPONSE = 0x8400;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const NXDOMAIN = 3;

/** The answer that the name of a question does not exist. */
export function missingAs(message: Buffer, { end }: RawName): Buffer {
	const answer = Buffer.from(message.subarray(0, end + TYPE_AND_CLASS_BYTES));
	const wanted = message.readUInt16BE(2) & RECURSION_DESIRED;
	answer.writeUInt16BE(RESPONSE | wanted | RECURSION_AVAILABLE | NXDOMAIN, 2);
	// One question, and no records.
	answer.writeUInt16BE(1, 4);
	answer.fill(0, 6, HEAD_BYTES);
	return answer;
}
