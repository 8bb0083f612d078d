/**
 * Schemas of probes and lifecycle hooks, which share their actions: a command, an HTTP request, a connection.
 */

import {
	type Infer,
	int32,
	int64,
	intOrString,
	list,
	nullable,
	object,
	omitZero,
	oneOf,
	optional,
	required,
	string,
} from '../../../schema/schema.ts';

const execActionSchema = object(
	'io.k8s.api.core.v1.ExecAction',
	'Action that runs a command in the container. It succeeds if the exit code is 0.',
	{
		command: optional(list(string), 'Program and arguments. They are run without a shell.'),
	},
);

const httpHeaderSchema = object('io.k8s.api.core.v1.HTTPHeader', 'Header of an HTTP request.', {
	name: required(string, 'Name of the HTTP header.'),
	value: required(string, 'Value of the HTTP header.'),
});

const httpGetActionSchema = object(
	'io.k8s.api.core.v1.HTTPGetAction',
	'Action that sends an HTTP GET request. It succeeds if the status code is 200 to 399.',
	{
		path: optional(string, 'Path of the request. Default /.'),
		port: required(intOrString, 'Port number, 1 to 65535, or the name of a port of the container.'),
		host: optional(string, 'Host name or address to connect to. Default: the address of the Pod.'),
		scheme: optional(oneOf('HTTP', 'HTTPS'), 'Scheme of the request. Default HTTP.'),
		httpHeaders: optional(list(httpHeaderSchema), 'Headers to send with the request.'),
	},
);

const tcpSocketActionSchema = object(
	'io.k8s.api.core.v1.TCPSocketAction',
	'Action that opens a TCP connection. It succeeds if the connection is established.',
	{
		port: required(intOrString, 'Port number, 1 to 65535, or the name of a port of the container.'),
		host: optional(string, 'Host name or address to connect to. Default: the address of the Pod.'),
	},
);

const grpcActionSchema = object(
	'io.k8s.api.core.v1.GRPCAction',
	'Action that calls the gRPC health checking protocol. It succeeds if the answer is SERVING.',
	{
		port: required(int32, 'Port number of the gRPC server, 1 to 65535.'),
		service: nullable(string, 'Name of the service in the health check request. Default empty.'),
	},
);

/** Schema of v1.Probe. */
export const probeSchema = object(
	'io.k8s.api.core.v1.Probe',
	'Periodic check of a container. Exactly one of exec, httpGet, tcpSocket and grpc must be set.',
	{
		exec: optional(execActionSchema, 'Runs a command in the container.'),
		httpGet: optional(httpGetActionSchema, 'Sends an HTTP GET request.'),
		tcpSocket: optional(tcpSocketActionSchema, 'Opens a TCP connection.'),
		grpc: optional(grpcActionSchema, 'Calls the gRPC health checking protocol.'),
		initialDelaySeconds: omitZero(
			int32,
			'Seconds after the start of the container before the first check. Default 0.',
		),
		timeoutSeconds: omitZero(int32, 'Seconds after which a check without an answer has failed. Default 1.'),
		periodSeconds: omitZero(int32, 'Seconds between two checks. Default 10.'),
		successThreshold: omitZero(
			int32,
			'Consecutive successes after which the probe passes again once it has failed. Default 1; must be 1 for liveness and startup probes.',
		),
		failureThreshold: omitZero(int32, 'Consecutive failures after which the probe has failed. Default 3.'),
		terminationGracePeriodSeconds: optional(
			int64,
			'Seconds between the signal to stop and SIGKILL for a container whose probe has failed. Not for readiness probes. Default: that of the Pod.',
		),
	},
);

/** Periodic check of a container. */
export type Probe = Infer<typeof probeSchema>;

const sleepActionSchema = object('io.k8s.api.core.v1.SleepAction', 'Action that waits for a fixed time.', {
	seconds: required(int64, 'Seconds to wait, at most terminationGracePeriodSeconds of the Pod.'),
});

/** Schema of v1.LifecycleHandler. */
export const lifecycleHandlerSchema = object(
	'io.k8s.api.core.v1.LifecycleHandler',
	'Action of a lifecycle hook. Exactly one field must be set.',
	{
		exec: optional(execActionSchema, 'Runs a command in the container.'),
		httpGet: optional(httpGetActionSchema, 'Sends an HTTP GET request.'),
		tcpSocket: optional(
			tcpSocketActionSchema,
			'Deprecated: accepted for compatibility, but fails when the hook runs.',
		),
		sleep: optional(sleepActionSchema, 'Waits for a fixed time.'),
	},
);

/** Action of a lifecycle hook. */
export type LifecycleHandler = Infer<typeof lifecycleHandlerSchema>;

/** Schema of v1.Lifecycle. */
export const lifecycleSchema = object(
	'io.k8s.api.core.v1.Lifecycle',
	'Hooks that run after the start of a container and before it is stopped.',
	{
		postStart: optional(
			lifecycleHandlerSchema,
			'Runs right after the start of the container. If it fails, the container is stopped and restarted according to its restart policy.',
		),
		preStop: optional(
			lifecycleHandlerSchema,
			'Runs before the container is sent the signal to stop. The grace period covers the hook as well.',
		),
		stopSignal: nullable(
			string,
			'Signal that asks the container to stop, such as SIGINT. Its feature gate is off, so the field is dropped. Default: that of the image, else SIGTERM.',
		),
	},
);

/** Hooks that run after the start of a container and before it is stopped. */
export type ContainerLifecycle = Infer<typeof lifecycleSchema>;
