import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { assert } from '../../base/assert.ts';
import { MANIFEST_TYPE, type TinyImage } from './tiny-image.ts';

/** A registry on a port of this machine, whose images cannot be changed. */
export interface TinyRegistry {
	/** `127.0.0.1:PORT`. */
	readonly host: string;
	close(): void;
}

/** An image of the registry; with `password`, for the user `user` only. */
export interface ServedImage {
	readonly image: TinyImage;
	readonly password?: string;
}

/** Serves images by their repositories, with whatever tag. */
export async function serveImages(images: Readonly<Record<string, ServedImage>>): Promise<TinyRegistry> {
	const server = createServer((request, response) => answer(images, request, response));
	await once(server.listen(0, '127.0.0.1'), 'listening');
	server.unref();
	const address = server.address();
	assert(typeof address === 'object' && address !== null, 'the server listens');
	return {
		host: `127.0.0.1:${address.port}`,
		close: () => {
			server.close();
			server.closeAllConnections();
		},
	};
}

function answer(
	images: Readonly<Record<string, ServedImage>>,
	{ url = '', headers, method }: IncomingMessage,
	response: ServerResponse,
): void {
	const needsPassword = Object.values(images).some(({ password }) => password !== undefined);
	const [, repository = '', kind, name = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
	const served = images[repository];
	const given = headers.authorization;
	const isAllowed = served ? served.password === undefined || given === basic(served.password) : true;
	if (!isAllowed || (url === '/v2/' && needsPassword && given === undefined)) {
		response
			.writeHead(401, { 'www-authenticate': 'Basic realm="test"' })
			.end('{"errors":[{"code":"UNAUTHORIZED"}]}');
		return;
	}
	if (url === '/v2/') {
		response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' }).end('{}');
		return;
	}
	const found =
		kind === 'manifests' ? served?.image.manifest : served?.image.blobs.find(({ digest }) => digest === name);
	if (!found) {
		response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
		return;
	}
	response.writeHead(200, {
		'content-type': kind === 'manifests' ? MANIFEST_TYPE : 'application/octet-stream',
		'content-length': found.bytes.length,
		'docker-content-digest': found.digest,
	});
	response.end(method === 'HEAD' ? undefined : found.bytes);
}

function basic(password: string): string {
	return `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
}
