/** A layer cannot be used. Unpacking the same bytes again fails the same way; the error of a broken connection or
 * of a full disk is never of this class. */
export class LayerError extends Error {
	override readonly name = 'LayerError';
	/**
	 * `malformed`: the archive or its compression is damaged. `refused`: the archive is well-formed, but contains what
	 * this program does not unpack. `limit`: it exceeds a limit. `digest`: its bytes are not the promised ones; pulling
	 * it again may help.
	 */
	readonly reason: 'malformed' | 'refused' | 'limit' | 'digest';

	constructor(reason: LayerError['reason'], message: string, options: { readonly cause?: unknown } = {}) {
		super(message, options);
		this.reason = reason;
	}
}
