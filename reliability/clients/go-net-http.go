// Asks an API with Go's net/http: go-net-http h2|http/1.1 URL CA-FILE GET-PATH POST-PATH RATE, until standard input ends.
// It prints "answered" once it has an answer, and one line of JSON at the end with what became of its requests. It repeats nothing of
// its own. Without arguments it prints its version.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

const atOnce = 20

type result struct {
	Sent   int            `json:"sent"`
	OK     int            `json:"ok"`
	Errors map[string]int `json:"errors"`
}

func main() {
	if len(os.Args) == 1 {
		fmt.Println(runtime.Version())
		return
	}
	protocol, url, caFile, getPath, postPath := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	rate, err := strconv.ParseFloat(os.Args[6], 64)
	must(err)
	certificates, err := os.ReadFile(caFile)
	must(err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificates)

	protocols := new(http.Protocols)
	protocols.SetHTTP1(protocol != "h2")
	protocols.SetHTTP2(protocol == "h2")
	client := &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: trusted},
			Protocols:           protocols,
			MaxIdleConnsPerHost: atOnce,
		},
	}

	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()

	total := result{Errors: map[string]int{}}
	var lock sync.Mutex
	var all sync.WaitGroup
	for index := 0; index < atOnce; index++ {
		all.Add(1)
		go func() {
			defer all.Done()
			due := time.Now()
			for count := index; ; count++ {
				due = due.Add(time.Duration(rand.Float64() * 2 * atOnce / rate * float64(time.Second)))
				select {
				case <-stop:
					return
				case <-time.After(time.Until(due)):
				}
				err := ask(client, protocol, url, getPath, postPath, count%2 == 0)
				lock.Lock()
				total.Sent++
				if err == nil {
					if total.OK == 0 {
						fmt.Println("answered")
					}
					total.OK++
				} else {
					total.Errors[err.Error()]++
				}
				lock.Unlock()
			}
		}()
	}
	all.Wait()
	must(json.NewEncoder(os.Stdout).Encode(total))
}

func ask(client *http.Client, protocol, url, getPath, postPath string, get bool) error {
	var response *http.Response
	var err error
	if get {
		response, err = client.Get(url + getPath)
	} else {
		response, err = client.Post(url+postPath, "application/json", bytes.NewReader([]byte(`{"id":"go"}`)))
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	if (response.ProtoMajor == 2) != (protocol == "h2") {
		return fmt.Errorf("answered by %s", response.Proto)
	}
	return nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
