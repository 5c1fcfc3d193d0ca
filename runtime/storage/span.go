package storage

import (
	"context"
	"strings"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
	"golang.org/x/sync/errgroup"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// span is a range of the keys below a prefix: keys greater than after and not greater than upTo. An upTo of "" means no
// upper bound. Consecutive spans divide the keys without gaps or overlaps, whatever their bounds are. Common prefixes
// are used as bounds because they divide the keys evenly.
type span struct{ prefix, after, upTo string }

// spansPerPage is the number of spans for one page of common prefixes.
const spansPerPage = 16

// maxDepth is the maximum number of levels to descend while a level contains a single common prefix and nothing else.
const maxDepth = 4

// list sends the selected items of all prefixes to out, page by page and in no particular order. With spread it lists
// several spans of each prefix in parallel.
func (p *purge) list(ctx context.Context, spread bool, out chan<- []item) error {
	g, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, listers)
	start := func(s span) error {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		g.Go(func() error {
			defer func() { <-slots }()
			return fault.Try(func() error { return p.listSpan(ctx, s, out) })
		})
		return nil
	}
	for _, prefix := range p.prefixes {
		if !spread {
			if err := start(span{prefix: prefix}); err != nil {
				break // g.Wait returns the error
			}
			continue
		}
		g.Go(func() error { return fault.Try(func() error { return p.split(ctx, prefix, start) }) })
	}
	return g.Wait()
}

// split divides the keys below a prefix into spans with about the same number of common prefixes. It starts each span
// as soon as its bounds are known. Below lithops.jobs/, Lithops uses one prefix for each job, and within that one
// prefix for each call.
func (p *purge) split(ctx context.Context, prefix string, start func(span) error) error {
	in := &s3.ListObjectsV2Input{Bucket: &p.store.o.Bucket, Prefix: aws.String(prefix), Delimiter: aws.String("/")}
	after := ""
	for depth, n := 0, 0; n < transport.MaxPages; n++ {
		out, err := p.store.page(ctx, in)
		if err != nil {
			return err
		}
		subPrefixes, more := out.CommonPrefixes, in.ContinuationToken != nil
		if err := p.countPage(len(subPrefixes)); err != nil {
			return err
		}
		if len(subPrefixes) == 1 && len(out.Contents) == 0 && !more && depth < maxDepth {
			if inner := aws.StringValue(subPrefixes[0].Prefix); len(inner) > len(*in.Prefix) && strings.HasPrefix(inner, *in.Prefix) {
				in.Prefix, depth = aws.String(inner), depth+1
				continue
			}
		}
		step := (len(subPrefixes) + spansPerPage - 1) / spansPerPage
		for i := step; i < len(subPrefixes); i += step {
			bound := aws.StringValue(subPrefixes[i].Prefix)
			if bound <= after {
				continue // not sorted: the spans become uneven, which is harmless
			}
			if err := start(span{prefix, after, bound}); err != nil {
				return err
			}
			after = bound
		}
		if !more || len(subPrefixes) == 0 {
			return start(span{prefix, after, ""})
		}
	}
	return p.store.endlessListing()
}

// listSpan lists a span and sends the selected items to out.
func (p *purge) listSpan(ctx context.Context, s span, out chan<- []item) error {
	versioned, err := p.versioned()
	if err != nil {
		return err
	}
	next := p.objectPages(s)
	if versioned {
		next = p.versionPages(s)
	}
	for range transport.MaxPages {
		page, more, err := next(ctx)
		if err != nil {
			return err
		}
		if err := p.countPage(len(page)); err != nil {
			return err
		}
		var selected []item
		for _, it := range page {
			if err := p.store.checkListedKey(s.prefix, it.key); err != nil {
				return err
			}
			switch {
			case it.key <= s.after: // belongs to another span; the store ignores start-after
			case s.upTo != "" && it.key > s.upTo:
				more = false // the remaining keys belong to another span
			case p.matchesAge(it):
				selected = append(selected, it)
			}
		}
		if len(selected) > 0 {
			select {
			case out <- selected:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if !more {
			return nil
		}
	}
	return p.store.endlessListing()
}

// matchesAge reports whether an item is old enough to be selected. An item of unknown age is not.
func (p *purge) matchesAge(it item) bool {
	if p.sweep.OlderThan.IsZero() {
		return true
	}
	return !it.changed.IsZero() && it.changed.Before(p.sweep.OlderThan)
}

// objectPages returns a function that reads the objects of a span page by page.
func (p *purge) objectPages(s span) transport.NextPage[item] {
	in := &s3.ListObjectsV2Input{Bucket: &p.store.o.Bucket, Prefix: aws.String(s.prefix)}
	if s.after != "" {
		in.StartAfter = aws.String(s.after)
	}
	return func(ctx context.Context) ([]item, bool, error) {
		out, err := p.store.page(ctx, in)
		if err != nil {
			return nil, false, err
		}
		page := make([]item, 0, len(out.Contents))
		for _, o := range out.Contents {
			page = append(page, item{key: aws.StringValue(o.Key), size: aws.Int64Value(o.Size), changed: aws.TimeValue(o.LastModified)})
		}
		return page, in.ContinuationToken != nil, nil
	}
}
