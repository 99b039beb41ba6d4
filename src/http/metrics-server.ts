import type { Channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { MetricsSetting } from './metrics-setting.ts'
import { ALARM, type Alarm, ANSWERED, type Answered, CONNECTION, type Connection } from './observation.ts'

/** Of one process. */
export interface MetricsServer {
  close(): Promise<void>
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Whoever asks is a program of the operator, and asks once in a while. */
const BOUNDS = { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 }
const MOST_CONNECTIONS = 16

/**
 * `GET /metrics`, in the text format of Prometheus: what is told in the process from now on, and how the process does.
 * Labels are names of ours alone.
 *
 * @throws Error with code EADDRINUSE, EACCES or EADDRNOTAVAIL
 */
export async function serveMetrics({ address = '127.0.0.1', port }: MetricsSetting): Promise<MetricsServer> {
  const series = new Registry()
  const server = createServer(BOUNDS, async ({ method, url }, response) => {
    if (url !== '/metrics') return response.writeHead(404).end()
    if (method !== 'GET') return response.writeHead(405, { allow: 'GET' }).end()
    const text = await series.metrics()
    return response.writeHead(200, { 'content-type': series.contentType, 'cache-control': 'no-store' }).end(text)
  })
  server.maxConnections = MOST_CONNECTIONS
  server.listen(port, address)
  await once(server, 'listening')
  const unsubscribe = observe(series)
  return {
    async close() {
      unsubscribe()
      series.clear()
      await closed(server)
    },
  }
}

/** @returns how to stop it */
function observe(series: Registry): () => void {
  const registers = [series]
  collectDefaultMetrics({ register: series })
  const requests = new Histogram({
    name: 'edgeward_request_duration_seconds',
    help: 'From the head of a request to the end of its answer. status "none": the client left before there was one.',
    labelNames: ['listener', 'operation', 'status'] as const,
    buckets: BUCKETS,
    registers,
  })
  const connections = new Counter({
    name: 'edgeward_connections_total',
    help: 'TLS connections: opened, closed, not admitted, and handshakes that failed.',
    labelNames: ['listener', 'event'] as const,
    registers,
  })
  const open = new Gauge({
    name: 'edgeward_connections_open',
    help: 'TLS connections that are open now.',
    labelNames: ['listener'] as const,
    registers,
  })
  const alarms = new Counter({
    name: 'edgeward_alarms_total',
    help: 'What an operator should look after: the log tells who.',
    labelNames: ['alarm'] as const,
    registers,
  })
  const stops = [
    hear<Answered>(ANSWERED, ({ listener, operation = 'none', status = 'none', seconds }) =>
      requests.observe({ listener, operation, status: String(status) }, seconds),
    ),
    hear<Connection>(CONNECTION, ({ listener, event }) => {
      connections.inc({ listener, event })
      if (event === 'opened') open.inc({ listener })
      if (event === 'closed') open.dec({ listener })
    }),
    hear<Alarm>(ALARM, ({ alarm }) => alarms.inc({ alarm })),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function hear<Message>(channel: Channel, heard: (message: Message) => void): () => void {
  const listener = (message: unknown) => heard(message as Message)
  channel.subscribe(listener)
  return () => void channel.unsubscribe(listener)
}

async function closed(server: Server): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
