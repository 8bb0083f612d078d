/** As upstream (WithWarningRecorder in its filters): beyond so much text, each warning is cut. */
const MOST_TEXT = 4 * 1024;
const MOST_ITEM_TEXT = 256;

/**
 * The values of the Warning headers of an answer. Warnings of more than 4 KB together are cut to 256
 * characters each, and as many are sent as fit; clients of Node refuse heads of more than 16 KB.
 * Upstream counts characters where this counts bytes, which differs only for text beyond ASCII.
 */
export function warningHeaders(texts: readonly string[]): readonly string[] {
	const total = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
	if (total <= MOST_TEXT) return texts.map(headerOf);
	const headers: string[] = [];
	let written = 0;
	for (const text of texts) {
		if (written >= MOST_TEXT) break;
		const cut = [...text.slice(0, 2 * MOST_ITEM_TEXT)].slice(0, MOST_ITEM_TEXT).join('');
		written += Buffer.byteLength(cut);
		headers.push(headerOf(cut));
	}
	return headers;
}

/** In UTF-8, as upstream sends it; Node takes the bytes of a header as Latin-1. No control characters. */
function headerOf(text: string): string {
	const safe = text.replace(/[\\"]/g, '\\$&').replace(/\p{Cc}/gu, '?');
	return Buffer.from(`299 - "${safe}"`).toString('latin1');
}
