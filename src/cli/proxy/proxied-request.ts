/** The head of a request to `proxy`. */
export interface ProxyRequestHead {
	readonly method: string;
	/** The path with the query, as it was sent. */
	readonly url: string;
	/** The Host header. */
	readonly host: string;
}

/** What happens to a request. */
export type FilterDecision =
	/** It is sent to this path of the server, which includes the query. */
	| { readonly type: 'passed'; readonly path: string }
	/** It is answered with this status code. */
	| { readonly type: 'refused'; readonly code: 400 | 403 | 404 | 414 }
	| { readonly type: 'redirected'; readonly location: string };
