/**
 * As upstream (WithWarningRecorder in the apiserver's filters): beyond this much text, each warning is
 * truncated.
 */
const MAX_BYTES = 4 * 1024;
const MAX_ITEM_LENGTH = 256;

/**
 * The values of the Warning headers of a response. If the warnings have more than 4 KB together, each is
 * truncated to 256 characters, and as many are sent as fit into 4 KB: Node clients reject response heads of
 * more than 16 KB. Upstream counts characters and this counts bytes, which differs only for text beyond
 * ASCII.
 */
export function warningHeaders(texts: readonly string[]): readonly string[] {
	const total = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
	if (total <= MAX_BYTES) return texts.map(headerOf);
	const headers: string[] = [];
	let written = 0;
	for (const text of texts) {
		if (written >= MAX_BYTES) break;
		const cut = [...text.slice(0, 2 * MAX_ITEM_LENGTH)].slice(0, MAX_ITEM_LENGTH).join('');
		written += Buffer.byteLength(cut);
		headers.push(headerOf(cut));
	}
	return headers;
}

/**
 * One header value. The text is UTF-8, as upstream sends it; Node writes headers as Latin-1, so the bytes are
 * passed in that encoding. Control characters are replaced, since they would end the header.
 */
function headerOf(text: string): string {
	const safe = text.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}/gu, '?');
	return Buffer.from(`299 - "${safe}"`).toString('latin1');
}
