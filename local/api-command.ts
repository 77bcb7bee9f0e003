import { Timeline } from '../timeline/timeline';
import { Command } from './nginx';
import { nodeScript, nodeScriptEnvironment } from './node-script';
import { StartOptions } from './start-options';

/** What an instance runs: the command given, or fairlead's own API. */
export function apiCommand({ command }: StartOptions): Command {
  return command ?? nodeScript(ownApi());
}

/** What all instances are told: an app that uses `serve()` follows the timeline, any other ignores it. */
export function apiEnvironment({ command }: StartOptions, timeline: Timeline): NodeJS.ProcessEnv {
  return {
    ...process.env,
    KEEP_ALIVE_TIMEOUT_SECONDS: String(timeline.keepAliveTimeout),
    REQUEST_TIMEOUT_SECONDS: String(timeline.requestTimeout),
    SHUTDOWN_TIMEOUT_SECONDS: String(timeline.apiShutdownTimeout),
    ...(command === undefined ? { ...nodeScriptEnvironment(ownApi()), DIAGNOSTIC_ENDPOINTS: 'true' } : {}),
  };
}

function ownApi(): string {
  return require.resolve('../api/src/main');
}
